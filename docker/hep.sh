#!/bin/sh
# Builds one program from its archive; docker/hep.Dockerfile calls it. A program whose archive is not named is left out.
#   hep.sh PROGRAM ARCHIVE SHA256 [ARCHIVE SHA256 ...]
# PREFIX (/opt/hep) is where to, ARCHIVES (/archives) where from, JOBS how many compilers at a time.
set -eu
prefix=${PREFIX:-/opt/hep} archives=${ARCHIVES:-/archives} jobs=${JOBS:-4}
program=$1
shift
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

unpack() { # archive, SHA-256, folder: what the archive holds below its only folder
  echo "$2  $archives/$1" | sha256sum --check --strict --quiet
  mkdir -p "$3"
  tar -xf "$archives/$1" -C "$3" --strip-components=1
}

install_with_autotools() { # archive, SHA-256, options of configure
  unpack "$1" "$2" "$work/$1"
  source="$work/$1"
  shift 2
  (cd "$source" && ./configure --prefix="$prefix" "$@" && make -j "$jobs" && make install)
}

if [ -z "${1:-}" ]; then
  echo "$program: no archive named, left out"
  exit 0
fi
case $program in
  madgraph) # compiles the processes when it runs
    unpack "$1" "$2" "$prefix/madgraph"
    echo "auto_update = 0" >>"$prefix/madgraph/input/mg5_configuration.txt"
    ln -s ../madgraph/bin/mg5_aMC "$prefix/bin/mg5_aMC"
    ;;
  lhapdf) install_with_autotools "$1" "$2" --disable-python --disable-static ;;
  pdf_set) unpack "$1" "$2" "$prefix/share/LHAPDF/${1%%.*}" ;;
  thepeg)
    install_with_autotools "$1" "$2" --with-lhapdf="$prefix" --with-hepmc=/usr --with-hepmcversion=3 \
      --with-fastjet=/usr --without-rivet --without-javagui
    ;;
  herwig) install_with_autotools "$1" "$2" --with-thepeg="$prefix" --with-fastjet=/usr ;;
  root) unpack "$1" "$2" "$prefix/root" ;; # as its project builds it for Debian 12
  delphes)
    unpack "$1" "$2" "$work/delphes"
    (cd "$work/delphes" && make -j "$jobs" HAS_PYTHIA8=false DelphesHepMC3)
    install -m 755 "$work/delphes/DelphesHepMC3" "$prefix/bin"
    install -m 644 "$work"/delphes/*.pcm "$work"/delphes/libDelphes.so "$prefix/lib"
    ;;
  *)
    echo "$program: want madgraph, lhapdf, pdf_set, thepeg, herwig, root or delphes"
    exit 1
    ;;
esac
