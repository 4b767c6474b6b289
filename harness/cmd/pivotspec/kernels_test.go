package main

import "testing"

func TestWithoutHosts(t *testing.T) {
	for in, want := range map[string]string{
		"the package list of suite sid could not be fetched: Failed to fetch https://mirror.invalid/debian/dists/sid/Packages.xz  File has unexpected size (1 != 2). [IP: 192.0.2.1 80]": "the package list of suite sid could not be fetched: File has unexpected size (1 != 2).",
		"suite sid carries no amd64 package of series 6.13 (cloud-amd64)": "suite sid carries no amd64 package of series 6.13 (cloud-amd64)",
	} {
		if got := withoutHosts(in); got != want {
			t.Errorf("%q", got)
		}
	}
}

func TestWithoutPackages(t *testing.T) {
	for in, want := range map[string]string{
		"cell: no records in x":                              "no records in x",
		"baseline: cell: read records: open x: no":           "read records: open x: no",
		"no judgement by x: cell: first line: bad":           "no judgement by x: first line: bad",
		"cannot read x: the image: it is empty; give a cell": "cannot read x: the image: it is empty; give a cell",
	} {
		if got := withoutPackages(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
