package spec

// EvidenceVariable is the environment variable that, set to anything, has a guest collect the mount
// tables around the calls under test and send them as records of their own; see
// [pivotspec/suites/record.Evidence]. It comes to the guest like [ScenarioVariable].
const EvidenceVariable = "pivotspec_evidence"
