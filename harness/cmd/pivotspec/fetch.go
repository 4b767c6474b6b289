package main

import (
	"fmt"
	"io"
	"os"

	"pivotspec/harness/lab"
	"pivotspec/kernels"
	"pivotspec/results/progress"
)

// watch shows on p what is made ready.
func watch(p *progress.Progress) lab.Watch {
	return lab.Watch{
		Fetching: fetching(p),
		Doing:    func(what string) { p.Doing(what, 0) },
		Note:     p.Note,
	}
}

// fetching shows on p how far the fetching of kernels has got.
func fetching(p *progress.Progress) func(kernels.Event) {
	return func(e kernels.Event) {
		switch e.Stage {
		case kernels.StageWait:
			p.Doing("waiting for another pivotspec that is filling the cache", 0)
		case kernels.StageUpdate:
			p.Doing("reading the package lists of Debian's archive", e.Share)
		case kernels.StageDownload:
			p.Doing(fmt.Sprintf("downloading kernels, %d MB", (e.Bytes+999_999)/1_000_000), e.Share)
		case kernels.StageUnpack:
			p.Doing("unpacking kernels", 0)
		}
	}
}

// file returns the file that w is, the standard error if it is none.
func file(w io.Writer) *os.File {
	if f, ok := w.(*os.File); ok {
		return f
	}
	return os.Stderr
}
