"""Colours and hatches of the picture of beats, by day and by night. Blue and vermilion are told apart by every kind of
colour vision (Okabe & Ito 2008, "Color Universal Design").
"""

STYLE = """<style>
text { font-family: system-ui, sans-serif; font-size: 11px; fill: #23252b }
.name { font-size: 19px; font-weight: 600 }
.label { font-size: 12px; font-weight: 600 }
.note { font-size: 12px; fill: #4c4f58 }
.tick, .row, .word { fill: #62656e }
.row { font-size: 13px; font-weight: 600 }
.word { font-style: italic }
.end { text-anchor: end }
.middle { text-anchor: middle }
.paper { fill: #fbfaf7 }
.panel { fill: #f1efe9 }
.grid, .axis, .bar { fill: none; stroke: #cfcbc0 }
.axis, .bar { stroke: #8a8d96 }
.wave { fill: none; stroke: #555b68; stroke-width: 1.1; stroke-linejoin: round }
.believed { fill: #0067a5; stroke: #0067a5; stroke-width: .8 }
.doubted { fill: #fbfaf7; stroke: #b8430a; stroke-width: 1.3 }
.intervals { fill: none; stroke: #0067a5; stroke-width: 1; stroke-opacity: .55; stroke-linejoin: round }
.dots { fill: none; stroke: #0067a5; stroke-width: 3; stroke-linecap: round }
.moved { fill: #e69f00; fill-opacity: .25 }
.hatch { fill: none; stroke: #8a8576 }
.faint { stroke-opacity: .55 }
@media (prefers-color-scheme: dark) {
text { fill: #dedbd2 }
.note { fill: #b3b1aa }
.tick, .row, .word { fill: #9a9ca6 }
.paper { fill: #12141c }
.panel { fill: #1a1d28 }
.grid { stroke: #333849 }
.axis, .bar { stroke: #6d7387 }
.wave { stroke: #9aa3b8 }
.believed { fill: #5fb8ec; stroke: #5fb8ec }
.doubted { fill: #12141c; stroke: #f29a5c }
.intervals, .dots { stroke: #5fb8ec }
.moved { fill-opacity: .2 }
.hatch { stroke: #7d8296 }
}
</style>"""

PATTERNS = """<defs>
<pattern id="no-interval" width="5" height="5" patternUnits="userSpaceOnUse">
<path class="hatch faint" d="M-1 6L6 -1M-1 1L1 -1M4 6L6 4"/></pattern>
<pattern id="gap" width="9" height="9" patternUnits="userSpaceOnUse">
<path class="hatch faint" d="M0 0L9 9M9 0L0 9"/></pattern>
<pattern id="clipped" width="4" height="4" patternUnits="userSpaceOnUse">
<path class="hatch" d="M0 1H4"/></pattern>
</defs>"""
