add EnergyFraction {0} {1.0}
foreach id {11 13 22 111} { add EnergyFraction $id {0.0} }
set ResolutionFormula {sqrt(energy*0.5^2)}
