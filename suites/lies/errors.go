package lies

import "slices"

// What touch.go asks, of the behaviours that are errors beyond the plain ones.

// errorCwdElsewhere reports whether the caller's cwd is at neither the old root nor new_root when
// the control pivots.
func errorCwdElsewhere(id string) bool {
	return slices.Contains([]string{
		"eacces/new-root-through-untraceable-process",
		"eacces/put-old-dot-not-searchable",
		"eacces/put-old-through-untraceable-process",
		"einval/put-old-covered-by-a-shared-mount",
		"enoent/new-root-unlinked-through-descriptor",
		"enoent/put-old-unlinked-through-descriptor",
	}, id)
}

// errorCwdStays reports whether the caller's cwd is at new_root when the control pivots.
func errorCwdStays(id string) bool {
	return slices.Contains([]string{
		"eacces/new-root-dot-not-searchable",
		"eacces/new-root-prefix-of-unmapped-owner",
		"eacces/new-root-slash-not-searchable",
		"eacces/new-root-symlink-into-closed-directory",
		"eacces/put-old-slash-not-searchable",
	}, id)
}
