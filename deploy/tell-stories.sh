#!/usr/bin/env bash
# Makes the recordings of the starter stories anew: every pi/somnisphere/stories/NAME.story whose story.toml names
# audio = "recording.opus" has its text.txt told into recording.opus. The others are left to the box's own voice.
# Needs espeak-ng (the voice) and ffmpeg (the encoder): sudo apt install espeak-ng ffmpeg
#
#   bash deploy/tell-stories.sh [FOLDER]
#
# VOICE, WORDS_PER_MINUTE and PITCH (0 to 99) may be set in the environment; without VOICE it follows the story's language.
set -euo pipefail

folder="${1:-$(cd "$(dirname "$0")/.." && pwd)/pi/somnisphere/stories}"
words_per_minute="${WORDS_PER_MINUTE:-105}"
pitch="${PITCH:-38}"

for tool in espeak-ng ffmpeg; do
    command -v "$tool" > /dev/null || { echo "There is no $tool; install it: sudo apt install espeak-ng ffmpeg" >&2; exit 1; }
done
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

# One value of the lines KEY = "VALUE" of a story.toml, before its recordings.
value() { awk -v key="$2 = \"" '/^\[/ { exit } index($0, key) == 1 { print substr($0, length(key) + 1, length($0) - length(key) - 1); exit }' "$1"; }

# espeak-ng's voice for a language.
voice_of() { case "$1" in en) echo en-gb-x-rp ;; *) echo "$1" ;; esac; }

# The text as SSML: a breath after each sentence, a longer one after each paragraph. Comments, names and ids are not told.
ssml() {
    echo '<speak>'
    awk '/^#/ || /^\[.*\]$/ { next }
        NF { sub(/^[^ ]+ /, ""); if (told) print told "<break time=\"600ms\"/>"; told = $0; next }
        told { print told "<break time=\"1300ms\"/>"; told = "" }
        END { if (told) print told "<break time=\"1300ms\"/>" }' < <(sed -e 's/&/\&amp;/g; s/</\&lt;/g' "$1")
    echo '</speak>'
}

found=no
for story in "$folder"/*.story; do
    about="$story/story.toml"
    grep -qsx 'audio = "recording.opus"' "$about" || continue
    found=yes
    recording="$story/recording.opus"
    title="$(value "$about" title)"
    language="$(value "$about" language)"
    voice="${VOICE:-$(voice_of "$language")}"
    ssml "$story/text.txt" > "$work/story.ssml"
    espeak-ng -m -v "$voice" -s "$words_per_minute" -p "$pitch" -f "$work/story.ssml" -w "$work/story.wav"
    # Softer at the top, evened to -20 LUFS (EBU R128), faded in.
    ffmpeg -hide_banner -loglevel error -nostdin -y -i "$work/story.wav" \
        -af "highpass=f=70,lowpass=f=5500,loudnorm=I=-20:TP=-2:LRA=7,aresample=24000,afade=t=in:d=0.5" \
        -ac 1 -c:a libopus -b:a 15k -vbr on -application voip -frame_duration 60 \
        -map_metadata -1 -fflags +bitexact -flags:a +bitexact \
        -metadata title="$title" -metadata artist="$(value "$about" teller)" \
        -metadata language="$language" -metadata genre="Bedtime story" \
        -metadata license="$(value "$about" licence)" "$work/story.opus"
    mv "$work/story.opus" "$recording"
    echo "$recording: $title, $(($(stat -c %s "$recording") / 1024)) KiB"
done
[ "$found" = yes ] || { echo "There is no story to record (*.story) in $folder." >&2; exit 1; }
