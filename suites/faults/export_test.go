package faults

// Declared gives the tests the declared exclusions.
var Declared = declared
