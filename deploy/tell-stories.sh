#!/usr/bin/env bash
# Makes the recordings of the starter stories anew: every pi/somnisphere/stories/NAME.md becomes NAME.opus beside it.
# Needs espeak-ng (the voice) and ffmpeg (the encoder): sudo apt install espeak-ng ffmpeg
#
#   bash deploy/tell-stories.sh [FOLDER]
#
# VOICE, WORDS_PER_MINUTE and PITCH (0 to 99) may be set in the environment.
set -euo pipefail

folder="${1:-$(cd "$(dirname "$0")/.." && pwd)/pi/somnisphere/stories}"
voice="${VOICE:-en-gb-x-rp}"
words_per_minute="${WORDS_PER_MINUTE:-105}"
pitch="${PITCH:-38}"

for tool in espeak-ng ffmpeg; do
    command -v "$tool" > /dev/null || { echo "There is no $tool; install it: sudo apt install espeak-ng ffmpeg" >&2; exit 1; }
done
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

# One value of the lines between the two "---" at the top of a story.
front_matter() { awk -v key="$2: " '/^---$/ { if (++lines == 2) exit } index($0, key) == 1 { print substr($0, length(key) + 1); exit }' "$1"; }

# The story as SSML: a breath after each sentence, a longer one after each paragraph.
ssml() {
    echo '<speak>'
    awk 'lines >= 2 && NF { print } /^---$/ { lines++ }' "$1" | sed -E \
        -e 's/&/\&amp;/g; s/</\&lt;/g' \
        -e 's/([.?!]) +/\1<break time="600ms"\/>\n/g' \
        -e 's/$/<break time="1300ms"\/>/'
    echo '</speak>'
}

found=no
for story in "$folder"/*.md; do
    [ -e "$story" ] || continue
    found=yes
    recording="${story%.md}.opus"
    title="$(front_matter "$story" title)"
    ssml "$story" > "$work/story.ssml"
    espeak-ng -m -v "$voice" -s "$words_per_minute" -p "$pitch" -f "$work/story.ssml" -w "$work/story.wav"
    # Softer at the top, evened to -20 LUFS (EBU R128), faded in.
    ffmpeg -hide_banner -loglevel error -nostdin -y -i "$work/story.wav" \
        -af "highpass=f=70,lowpass=f=5500,loudnorm=I=-20:TP=-2:LRA=7,aresample=24000,afade=t=in:d=0.5" \
        -ac 1 -c:a libopus -b:a 15k -vbr on -application voip -frame_duration 60 \
        -map_metadata -1 -fflags +bitexact -flags:a +bitexact \
        -metadata title="$title" -metadata artist="$(front_matter "$story" teller)" \
        -metadata language="$(front_matter "$story" language)" -metadata genre="Bedtime story" \
        -metadata license="$(front_matter "$story" licence)" "$work/story.opus"
    mv "$work/story.opus" "$recording"
    echo "$recording: $title, $(($(stat -c %s "$recording") / 1024)) KiB"
done
[ "$found" = yes ] || { echo "There is no story (*.md) in $folder." >&2; exit 1; }
