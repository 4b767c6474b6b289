package matrix

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"path/filepath"
	"slices"
	"strings"

	"pivotspec/harness/arch"
	"pivotspec/results/cell"
)

// inputs stands for all that the job's guest is given beside the kernel; see [cell.Cell]. It is ""
// before the guest program is there.
//
// Images, archives and disks are named by their content, so their names stand for them whatever
// folder they are in. How long a guest may take is left out: it is no part of what it sees.
func (j *Job) inputs() string {
	if j.Program == "" {
		return ""
	}
	in := struct {
		Program, Arch, ABI, Initramfs string
		Archives, Cmdline, Args       []string
		Memory                        int
		QEMU                          *arch.QEMU
	}{
		Program: j.Program, Arch: j.Arch, ABI: j.ABI, Initramfs: filepath.Base(j.VM.Initramfs),
		Cmdline: j.VM.Cmdline, Memory: j.VM.Memory,
	}
	if a := j.VM.Arch; a != nil {
		in.QEMU, in.Cmdline = &a.QEMU, slices.Concat(a.Cmdline, a.Savings, in.Cmdline)
	}
	for _, a := range j.VM.Archives {
		in.Archives = append(in.Archives, filepath.Base(a))
	}
	for _, a := range j.VM.Args {
		// The file of a drive comes last.
		if before, file, ok := strings.Cut(a, "file="); ok {
			a = before + "file=" + filepath.Base(file)
		}
		in.Args = append(in.Args, a)
	}
	b, err := json.Marshal(in)
	if err != nil {
		panic(err) // it has nothing but strings and a number
	}
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}

// Change says, in a few words, why a cell of an earlier run cannot stand for the job, which is ready
// to run: what of it is not the same. It is "" only for a complete cell of the same kernel, which had
// the same guest and was run in the same way.
func (j *Job) Change(old *cell.Cell) string {
	now := j.Cell()
	switch {
	case j.Err != nil:
		return "what it needs is not to be had"
	case old.Status != cell.Complete:
		return "it was " + string(old.Status)
	case old.Name != now.Name || old.Line() != now.Line():
		return "it was another cell"
	case !old.SameAsked(now):
		return "other behaviours were asked for"
	case old.Kernel.SHA256 == "" || old.Kernel.SHA256 != now.Kernel.SHA256 || old.Kernel != now.Kernel:
		return "the kernel is not known to be the same"
	case old.Guest == "" || old.Guest != now.Guest:
		return "the guest is another"
	case old.Inputs != now.Inputs || old.Accel != now.Accel:
		return "it was booted in another way"
	}
	return ""
}
