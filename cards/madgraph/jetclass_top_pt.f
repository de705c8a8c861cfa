C     User cut of cards/madgraph/jetclass_tbqq.yaml and jetclass_tbl.yaml:
C     transverse momentum of both tops at least 450 GeV, from the sums of
C     their decay products. The particles come in the order p p, those of
C     the W and b of t, those of t~. The momenta are those of the partonic
C     rest frame, which has the same transverse components.
      logical function dummy_cuts(p)
      implicit none
      include 'nexternal.inc'
      double precision p(0:3, nexternal)
      double precision ptmin, px, py
      parameter (ptmin = 450d0)
      integer first

      dummy_cuts = nexternal .eq. 8
      do first = 3, 6, 3
         px = p(1, first) + p(1, first + 1) + p(1, first + 2)
         py = p(2, first) + p(2, first + 1) + p(2, first + 2)
         if (px**2 + py**2 .lt. ptmin**2) dummy_cuts = .false.
      enddo
      return
      end
