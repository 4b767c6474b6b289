package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"pivotspec/harness/arch"
	"pivotspec/harness/lab"
	"pivotspec/images"
	"pivotspec/kernels/cause"
)

func guestCommand(o *options) *cobra.Command {
	var archName, out string
	cmd := &cobra.Command{
		Use:   "guest",
		Short: "Build the suite as one program that runs on any machine and prints KTAP",
		Long: `Build the suite as one static program that needs nothing else. Copied to any machine and run
there, as root or as a user, it runs every spec that does not change the machine, in namespaces of
its own, and prints KTAP. As the init of an initramfs it runs all, and switches the machine off.`,
		Args: atMost(0, "no argument"),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if out == "" {
				return usage(errors.New("--out is missing: give the FILE for the program"))
			}
			l, err := lab.Open(o.cache, sourceTree())
			if err != nil {
				return failed(err)
			}
			a, err := archOf(l.Table, archName)
			if err != nil {
				return usage(err)
			}
			abi, err := a.ABI("")
			if err != nil {
				return failed(err)
			}
			path, err := l.Images.Standalone(cmd.Context(), images.Target{Name: abi.Name, Env: abi.Environ()})
			if p := (*os.PathError)(nil); errors.As(err, &p) {
				err = fmt.Errorf("the program cannot be made in the cache %s: %w; make it writable, or choose another folder with --cache", l.Dir, cause.Of(err))
			}
			if err == nil {
				err = copyProgram(path, out)
			}
			if err != nil {
				return failed(err)
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&archName, "arch", "", "`ARCH` of the machine it is for (default: this one's)")
	cmd.Flags().StringVar(&out, "out", "", "`FILE` for the program")
	return cmd
}

// archOf returns the architecture of that name, this machine's own if it is "".
func archOf(t *arch.Table, name string) (*arch.Arch, error) {
	if name == "" {
		return t.Native()
	}
	return t.Arch(name)
}

// copyProgram copies an executable file. What was at to is replaced as a whole or not at all.
func copyProgram(from, to string) error {
	fail := func(err error) error {
		return fmt.Errorf("the program cannot be written to %s: %w; name another file with --out", to, err)
	}
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	if st, err := os.Stat(to); err == nil && st.IsDir() {
		return fail(errors.New("it is a folder"))
	}
	dst, err := os.CreateTemp(filepath.Dir(to), ".pivotspec-guest-")
	if err != nil {
		return fail(cause.Of(err))
	}
	defer os.Remove(dst.Name())
	_, err = io.Copy(dst, src)
	if e := dst.Chmod(0o755); err == nil {
		err = e
	}
	if e := dst.Close(); err == nil {
		err = e
	}
	if err == nil {
		err = os.Rename(dst.Name(), to)
	}
	if err != nil {
		return fail(cause.Of(err))
	}
	return nil
}
