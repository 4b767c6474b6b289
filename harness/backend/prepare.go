package backend

import "context"

// Preparer is a [Backend] that has to make or fetch something before its guests can run.
type Preparer interface {
	Backend
	// Prepare makes it, unless a cache has it, and returns the kernel that [Backend.Find] found
	// with what is known of it now. doing is told of work that can take seconds. Its error is a
	// [*MissingError] if something is lacking here.
	Prepare(ctx context.Context, doing func(what string)) (Kernel, error)
}
