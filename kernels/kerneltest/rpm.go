// Package kerneltest makes packages of kernels, for tests.
package kerneltest

import (
	"bytes"
	"fmt"
	"maps"
	"slices"

	"github.com/google/rpmpack"
)

// RPM makes an RPM package of files, contents by path; arch is RPM's name of the architecture, and
// compressor is gzip, xz, lzma or zstd.
func RPM(name, arch, compressor string, files map[string]string) ([]byte, error) {
	r, err := rpmpack.NewRPM(rpmpack.RPMMetaData{Name: name, Version: "1.0", Release: "1", Arch: arch, Compressor: compressor})
	if err != nil {
		return nil, fmt.Errorf("kerneltest: %w", err)
	}
	for _, path := range slices.Sorted(maps.Keys(files)) {
		r.AddFile(rpmpack.RPMFile{Name: path, Body: []byte(files[path]), Mode: 0o100644})
	}
	var b bytes.Buffer
	if err := r.Write(&b); err != nil {
		return nil, fmt.Errorf("kerneltest: %w", err)
	}
	return b.Bytes(), nil
}
