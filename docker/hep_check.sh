#!/bin/sh
# Runs MadGraph, Herwig and Delphes, as far as they are on PATH, through the adapters of resim, and checks what comes out:
#   docker run --rm --entrypoint hep_check.sh resim-jets:hep
# What each step wants is a file that `resim validate` accepts, made twice with the same digest where a seed decides all.
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
events=${EVENTS:-40}
found=0

has() { # a program; says so if it is left out
  if command -v "$1" >/dev/null; then
    found=$((found + 1))
    echo "== $1"
  else
    echo "== $1: not here, left out"
    return 1
  fi
}

card() { # a name, and lines that are added to a card: one class, one view
  {
    echo "sources: [{lhe: cards/hard_scatter/hbb_j.lhe.gz, rows: {25: hbb}}]"
    echo "select: {parton_pt_min: 300, parton_abs_eta_max: 2.5}"
    echo "jets: {algorithm: antikt, radius: 0.8, pt_min: 200, abs_eta_max: 2.5, match_delta_r: 0.8}"
    cat
  } >"$work/$1.yaml"
}

twice() { # a card by its name: two runs in processes of their own are one file, and it is right
  for number in 1 2; do
    resim generate "$work/$1.yaml" -o "$work/$1_$number.h5" -n "$events" -j "$number" --quiet
  done
  resim validate "$work/$1_1.h5"
  first=$(resim digest "$work/$1_1.h5" | cut -d' ' -f1)
  second=$(resim digest "$work/$1_2.h5" | cut -d' ' -f1)
  test "$first" = "$second" || { echo "$1: digests $first and $second differ"; exit 1; }
  resim inspect "$work/$1_1.h5"
}

if has mg5_aMC; then
  resim hard-scatter cards/madgraph/qcd_jj.yaml -n "$events" -o "$work/qcd.lhe.gz" --quiet
fi
if has Herwig; then
  card herwig <<'END'
views:
  nominal: {shower: {generator: pythia8, card: cards/pythia/monash.cmnd, settings: ["PartonLevel:MPI = off"]}}
  herwig: {from: nominal, freeze: hard_scatter, shower: {generator: herwig7, card: cards/herwig/default.in}}
END
  twice herwig
fi
if has DelphesHepMC3; then
  card delphes <<'END'
views:
  nominal: {shower: {generator: pythia8, card: cards/pythia/monash.cmnd, settings: ["PartonLevel:MPI = off"]}}
  redetect: {from: nominal, freeze: hadronization}
detector: {backend: delphes, card: cards/delphes/cms_tracking.tcl}
END
  twice delphes
fi
if [ "$found" = 0 ]; then
  echo "none of mg5_aMC, Herwig and DelphesHepMC3 is on PATH"
  exit 1
fi
echo "$found of 3 programs checked"
