// Package lies boots the suite on kernels that answer wrongly and checks that each wrong
// answer is reported as unexpected by the spec that owns it. It is all test; the lies are in
// package suites/lies.
package lies
