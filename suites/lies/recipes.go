package lies

import (
	"slices"
	"strings"

	"pivotspec/suites/record"
)

// formCwdElsewhere adds to [cwdElsewhere] the forms of the call.
func formCwdElsewhere(id string) bool {
	return slices.Contains([]string{
		"einval/put-old-below-the-cover-that-is-new-root",
		"forms/dotdot-from-put-old",
		"forms/overmounted-put-old-by-descriptor",
	}, id)
}

// formCwdStays adds to [cwdStays] the forms of the call, and the programs, all of which pivot with
// the working directory at new_root. One that pivots twice shows the second time that it moved.
func formCwdStays(r *record.Record) bool {
	return strings.HasPrefix(r.ID, "recipes/") && r.Facts["back"] == "" ||
		strings.HasPrefix(r.ID, "forms/dot-dot-") || slices.Contains([]string{
		"forms/magic-link-to-cwd",
		"forms/overmounted-new-root-by-descriptor",
		"forms/overmounted-new-root-by-descriptor-put-old-on-its-cover",
		"forms/put-old-is-the-cover-of-new-root",
		"success/root-bound-onto-itself",
	}, r.ID)
}

// wholeTable reports whether a behaviour compares the caller's whole mount table.
func wholeTable(r *record.Record) bool { return r.ID == "success/pivot-to-and-fro" }
