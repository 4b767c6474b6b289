// Package exam has nothing but the test that holds the diagnosis of package suites/diagnose against
// real kernels: it boots guests in which every call of the suite is diagnosed before it is made.
package exam
