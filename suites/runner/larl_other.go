//go:build !s390x

package runner

// misrun says why a module must not be loaded although the kernel would take it, or "": there is
// no such module on this architecture.
func misrun(string) string { return "" }
