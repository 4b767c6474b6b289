package runner

import (
	"errors"
	"fmt"
	"os"
	"path"

	"golang.org/x/sys/unix"

	"pivotspec/suites/kmod"
	"pivotspec/suites/sandbox"
)

// loadModules loads the modules that the image carries and writes down what came of each, for
// the specs that need them. An image without the list has none.
func loadModules() error {
	b, err := os.ReadFile(kmod.List)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("the list of modules: %w", err)
	}
	list, err := kmod.Parse(b)
	if err != nil {
		return err
	}
	for i := range list {
		if m := &list[i]; m.File != "" && m.Absent == "" {
			m.Absent = misrun(path.Join(kmod.Dir, m.File))
		}
	}
	kmod.Load(list, loadModule)
	if b, err = kmod.Format(list); err != nil {
		return err
	}
	if err := os.WriteFile(kmod.List, b, 0o644); err != nil {
		return fmt.Errorf("the list of modules: %w", err)
	}
	return nil
}

// loadModule loads one module and returns "" or the symbol of the errno. What is built into the
// kernel or was loaded before is as good as loaded.
func loadModule(file string) string {
	err := initModule(file)
	if err == nil || errors.Is(err, unix.EEXIST) {
		return ""
	}
	return sandbox.ErrnoName(err)
}

// initModule loads a module without its signature: to check those of four took a sixth of all the instructions of
// an emulated cell of 5.10, and what they protect against is not there. A kernel that insists on one gets it.
func initModule(file string) error {
	f, err := os.Open(file)
	if err != nil {
		return err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	module, err := unix.Mmap(int(f.Fd()), 0, int(info.Size()), unix.PROT_READ, unix.MAP_PRIVATE)
	if err != nil {
		return err
	}
	defer func() { _ = unix.Munmap(module) }()
	unsigned := kmod.Unsigned(module)
	err = unix.InitModule(unsigned, "")
	if err == nil || errors.Is(err, unix.EEXIST) || len(unsigned) == len(module) {
		return err
	}
	return unix.InitModule(module, "")
}
