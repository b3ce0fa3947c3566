#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A folder with the headers and libraries of Debian arm64 for a cross compiler and an emulator: arm64_sysroot.sh FOLDER PACKAGE...
# Packages come by this system's own apt sources, with a state of their own: nothing is installed, no root is needed, and packages
# of this machine's kind cannot be in the way. Does nothing where FOLDER holds all of them already.
set -euo pipefail
(($# > 1)) || { echo "usage: arm64_sysroot.sh FOLDER PACKAGE..." >&2; exit 2; }
folder=$1
shift
wanted=$*
done_file=$folder/.packages
[[ -f $done_file && $(<"$done_file") == "$wanted" ]] && exit 0

state=$folder/.apt
mkdir -p "$state"/{lists/partial,archives/partial} "$folder/usr/lib" "$folder/usr/bin" "$folder/usr/sbin"
: >"$state/status"
# As on a real system: programs and libraries are below usr, and packages that name the short way follow a link.
for short in bin lib sbin; do ln -sfn "usr/$short" "$folder/$short"; done

apt=(apt-get -qq -o APT::Architecture=arm64 -o APT::Architectures=arm64 -o Debug::NoLocking=1 -o APT::Sandbox::User=
  -o Dir::State="$state" -o Dir::State::status="$state/status" -o Dir::State::lists="$state/lists" -o Dir::Cache="$state"
  -o Dir::Cache::archives="$state/archives")
"${apt[@]}" update
"${apt[@]}" install --yes --no-install-recommends --download-only "$@"
for package in "$state"/archives/*.deb; do dpkg-deb --extract "$package" "$folder"; done
# What a package's installation would do: the one implementation that is there stands where programs look for it.
for library in "$folder"/usr/lib/aarch64-linux-gnu/{blas,lapack}/*.so*; do
  [[ -e $library ]] && ln -sf "${library#"$folder/usr/lib/aarch64-linux-gnu/"}" "$folder/usr/lib/aarch64-linux-gnu/"
done
rm -rf -- "$state"
printf '%s' "$wanted" >"$done_file"
