C     User cut of cards/madgraph/top.yaml: transverse momentum of both
C     tops at least 350 GeV, from the sums of their decay products. The
C     particles of p p > t t~, (t > w+ b, w+ > j j), (t~ > w- b~, w- > j j)
C     come in the order p p, j j b, j j b~. The momenta are those of the
C     partonic rest frame, which has the same transverse components.
      logical function dummy_cuts(p)
      implicit none
      include 'nexternal.inc'
      double precision p(0:3, nexternal)
      double precision ptmin, px, py
      parameter (ptmin = 350d0)
      integer first

      dummy_cuts = nexternal .eq. 8
      do first = 3, 6, 3
         px = p(1, first) + p(1, first + 1) + p(1, first + 2)
         py = p(2, first) + p(2, first + 1) + p(2, first + 2)
         if (px**2 + py**2 .lt. ptmin**2) dummy_cuts = .false.
      enddo
      return
      end
