# MadGraph, Herwig 7 and Delphes on top of the image of resim, each from an archive that you have (docs/docker.md).
#   docker build -f docker/hep.Dockerfile -t resim-jets:hep --build-context archives=FOLDER \
#     --build-arg MADGRAPH=MG5_aMC_v3.5.7.tar.gz --build-arg MADGRAPH_SHA256=... .
# A program whose archive is not named is left out.
ARG BASE=resim-jets
# Empty, unless --build-context archives=FOLDER takes its place.
FROM scratch AS archives

FROM ${BASE}
USER 0:0
# The compilers stay: MadGraph compiles the processes when it runs.
RUN apt-get update \
 && apt-get install -y --no-install-recommends build-essential gfortran rsync python3-dev zlib1g-dev libgsl-dev \
      libboost-dev libboost-filesystem-dev libboost-test-dev libhepmc3-dev \
      libfastjet-dev libfastjettools-dev libfastjetplugins-dev libsiscone-dev libsiscone-spherical-dev \
      libx11-6 libxext6 libxft2 libxpm4 libgl1 libtbb12 \
 && rm -rf /var/lib/apt/lists/* /var/log/* \
 && mkdir -p /opt/hep/bin /opt/hep/lib
COPY docker/hep.sh docker/hep_check.sh /usr/local/bin/
ARG JOBS=4
ENV PATH=/opt/hep/bin:/opt/hep/root/bin:$PATH \
    LD_LIBRARY_PATH=/opt/hep/lib:/opt/hep/root/lib

# MadGraph5_aMC@NLO, known good: 3.5.7
ARG MADGRAPH
ARG MADGRAPH_SHA256
RUN --mount=type=bind,from=archives,target=/archives hep.sh madgraph "$MADGRAPH" "$MADGRAPH_SHA256"

# LHAPDF, 6.2.3 or newer, and the set of Herwig's default tune
ARG LHAPDF
ARG LHAPDF_SHA256
RUN --mount=type=bind,from=archives,target=/archives hep.sh lhapdf "$LHAPDF" "$LHAPDF_SHA256"
ARG PDF_SET
ARG PDF_SET_SHA256
RUN --mount=type=bind,from=archives,target=/archives hep.sh pdf_set "$PDF_SET" "$PDF_SET_SHA256"

# ThePEG and Herwig, known good: 2.3.0 with 7.3.0, 2.2.3 with 7.2.3
ARG THEPEG
ARG THEPEG_SHA256
RUN --mount=type=bind,from=archives,target=/archives hep.sh thepeg "$THEPEG" "$THEPEG_SHA256"
ARG HERWIG
ARG HERWIG_SHA256
RUN --mount=type=bind,from=archives,target=/archives hep.sh herwig "$HERWIG" "$HERWIG_SHA256"

# ROOT as its project builds it for Debian 12, and Delphes, known good: 3.5.1
ARG ROOT
ARG ROOT_SHA256
RUN --mount=type=bind,from=archives,target=/archives hep.sh root "$ROOT" "$ROOT_SHA256"
ARG DELPHES
ARG DELPHES_SHA256
RUN --mount=type=bind,from=archives,target=/archives hep.sh delphes "$DELPHES" "$DELPHES_SHA256"
USER 1000:1000
