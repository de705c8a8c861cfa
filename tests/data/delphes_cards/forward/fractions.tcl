add EnergyFraction {0} {0.0}
foreach id {11 22 111} { add EnergyFraction $id {1.0} }
