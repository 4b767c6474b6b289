package diagnose

// Good and Spoil give the tests of the order the facts of a call that would succeed, and how they
// become those of one with a cause.
var (
	Good  = good
	Spoil = spoil
)
