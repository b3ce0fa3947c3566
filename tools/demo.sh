#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The program in one go, on skies that it renders itself. Called by ./dev demo once everything is built.
set -euo pipefail
root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
bin=$root/build/release/bin
demo=$root/build/demo
photos=${FOVEA_SHARED_DIR:-$root/../shared}/data/weather
model=$demo/weather.safetensors
fovea=$bin/fovea

heading() { printf '\n== %s\n' "$*"; }
run() { printf '$ %s\n' "${*//"$root/"/}"; "$@"; }

# The class named first in each JSON line of `fovea predict --json`.
first_labels() { sed -n 's/.*"predictions":\[{"label":"\([^"]*\)".*/\1/p'; }

rm -rf -- "$demo"
mkdir -p "$demo"

heading "Labelled skies: 300 to learn from, 150 others to be tested on, and a time-lapse of worsening weather"
run "$bin/fovea-skies" "$demo/skies" --count 300 --seed 1
run "$bin/fovea-skies" "$demo/new" --count 150 --seed 2
run "$bin/fovea-skies" "$demo/timelapse" --timelapse 12 --seed 3

heading "Training"
start=$SECONDS
run "$fovea" train "$demo/skies" -o "$model" --scope head --seed 1
printf 'training took %d s\n' "$((SECONDS - start))"

heading "Skies that it has not seen"
run "$fovea" val "$model" "$demo/new"
run "$fovea" predict "$model" "$demo"/new/*/0000[0-2].jpg

heading "Weather that slowly worsens, frame by frame"
run "$fovea" predict "$model" "$demo"/timelapse/*.jpg

# What the examples in the verbs' --help name, too.
cp "$demo/new/cloudy/00000.jpg" "$demo/today.jpg"
{
  echo path,label
  for class in "clear blue" "semi-clear blue;cloud" "cloudy cloud"; do
    for sky in "$demo/skies/${class% *}"/*.jpg; do echo "${sky#"$demo/"},${class#* }"; done
  done
} >"$demo/photos.csv"

if [[ -d $photos/val/shine && -d $photos/val/cloudy ]]; then
  heading "The same model on real photos, which it never saw"
  for class in shine cloudy; do
    # A file among them that is no photo is told by the program and is not counted: exit status 1.
    labels=$("$fovea" predict "$model" "$photos/train/$class" "$photos/val/$class" --json --quiet | first_labels) || true
    total=$(grep -c . <<<"$labels" || true)
    clear=$(grep -cx clear <<<"$labels" || true)
    if [[ $class == shine ]]; then right=$clear want=clear; else right=$((total - clear)) want="not clear"; fi
    ((total)) && printf '%-7s photos: %3d of %3d named %s (%d %%)\n' "$class" "$right" "$total" "$want" "$((100 * right / total))"
  done
fi

heading "Where things are"
printf 'model       %s\n' "${model#"$root/"}"
find "$demo" -maxdepth 1 -type d -name '*run*' -printf 'run folder  build/demo/%f (log and metrics)\n'
printf 'try         build/release/bin/fovea predict build/demo/weather.safetensors YOUR_PHOTO.jpg\n'
printf 'and         cd build/demo; PATH=$PATH:%s\n            there every example of "fovea VERB --help" works as it is printed\n' "$bin"
