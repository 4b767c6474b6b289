package sandbox

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"pivotspec/suites/kmod"
	"pivotspec/suites/record"
)

// RequireFilesystem ends the spec as unsupported unless the kernel has the filesystem, be it
// built in or as the module that the image carries: /proc/filesystems tells. A module that
// is there and that the kernel refused to load ends it as broken. It has to be called before
// the world leaves its first root.
func (w *World) RequireFilesystem(kind, module string) {
	for line := range strings.Lines(w.readProc("filesystems")) {
		if f := strings.Fields(line); len(f) > 0 && f[len(f)-1] == kind {
			return
		}
	}
	w.lacks("the kernel has no "+kind, module)
}

// lacks ends the spec because of something that a module would bring.
func (w *World) lacks(what, module string) {
	b, err := os.ReadFile(kmod.List)
	if errors.Is(err, os.ErrNotExist) {
		w.Unsupported("%s, and the image does not carry the module %s", what, module)
	}
	w.quiet("read "+kmod.List, err)
	list, err := kmod.Parse(b)
	w.quiet("read "+kmod.List, err)
	m, ok := kmod.Find(list, module)
	switch {
	case !ok:
		w.Unsupported("%s, and the image does not carry the module %s", what, module)
	case m.Failed != "":
		w.Broken("%s: its module %s could not be loaded: %s", what, module, m.Failed)
	case m.Absent != "":
		w.Unsupported("%s, and its module %s is not to be had: %s", what, module, m.Absent)
	}
	w.Broken("%s although its module %s was loaded", what, module)
}

// Disk is a block device: a world's own ([World.Disk]) or the machine's ([World.BlockDisk]).
type Disk struct {
	device   uint64
	readOnly bool
	node     int // an O_PATH descriptor of a node of the machine's
}

// Disk returns a loop device with the content of a file, which stays as it is: a device that
// can be written to has a copy of it in memory. A kernel without loop devices ends the spec
// as unsupported. It has to be called before the world leaves its first root.
func (w *World) Disk(image string, readOnly bool) Disk {
	w.ChangesMachine("a loop device")
	control, err := unix.Open("/dev/loop-control", unix.O_RDWR|unix.O_CLOEXEC, 0)
	if errors.Is(err, unix.ENOENT) || errors.Is(err, unix.ENODEV) || errors.Is(err, unix.ENXIO) {
		w.lacks("the kernel has no loop devices", "loop")
	}
	w.quiet("open /dev/loop-control", err)
	defer unix.Close(control)
	file, err := os.Open(image)
	if errors.Is(err, os.ErrNotExist) {
		// Ours has it; where somebody else made the image that is no fault of the kernel's.
		w.beyond(record.BeyondMachine, "needs an image that carries %s", image)
	}
	w.quiet("open "+image, err)
	defer file.Close()
	if !readOnly {
		fd, err := unix.MemfdCreate("disk", unix.MFD_CLOEXEC)
		w.quiet("memfd_create", err)
		memory := os.NewFile(uintptr(fd), "disk")
		defer memory.Close()
		_, err = io.Copy(memory, file)
		w.quiet("copy "+image, err)
		file = memory
	}
	n, err := unix.IoctlRetInt(control, unix.LOOP_CTL_GET_FREE)
	w.quiet("find a free loop device", err)
	name := fmt.Sprintf("/dev/loop%d", n)
	mode := unix.O_RDWR
	config := unix.LoopConfig{Fd: uint32(file.Fd())}
	config.Info.Flags = unix.LO_FLAGS_AUTOCLEAR
	if readOnly {
		mode = unix.O_RDONLY
		config.Info.Flags |= unix.LO_FLAGS_READ_ONLY
	}
	device, err := unix.Open(name, mode|unix.O_CLOEXEC, 0)
	w.quiet("open "+name, err)
	// The device is let go of when neither this nor a mount holds it.
	w.Defer(func() { unix.Close(device) })
	w.must("losetup "+name+" "+image, unix.IoctlLoopConfigure(device, &config))
	var st unix.Stat_t
	w.quiet("stat "+name, unix.Fstat(device, &st))
	return Disk{device: uint64(st.Rdev), readOnly: readOnly}
}

// MountDisk mounts the filesystem on a disk on path, and checks that it is one of that kind.
func (w *World) MountDisk(d Disk, kind, path string) {
	node := path + ".disk"
	w.quiet("mknod "+node, unix.Mknod(node, unix.S_IFBLK|0o600, int(d.device)))
	flags, option := uintptr(0), "rw"
	if d.readOnly {
		flags, option = unix.MS_RDONLY, "ro"
	}
	w.must(fmt.Sprintf("mount -t %s -o %s (the disk) %s", kind, option, path), unix.Mount(node, path, kind, flags, ""))
	w.quiet("rm "+node, unix.Unlink(node))
	w.requireType(kind, path)
}

// Overlay mounts an overlayfs with the given lower folders, the topmost first, on path. upper is
// an empty folder on a filesystem that can be written to, with two folders made in it; "" makes
// an overlayfs that cannot be written to.
func (w *World) Overlay(lower []string, upper, path string) {
	options := "lowerdir=" + strings.Join(lower, ":")
	if upper != "" {
		w.Mkdir(upper + "/upper")
		w.Mkdir(upper + "/work")
		options += fmt.Sprintf(",upperdir=%s/upper,workdir=%s/work", upper, upper)
	}
	w.must(fmt.Sprintf("mount -t overlay -o %s overlay %s", options, path), unix.Mount("overlay", path, "overlay", 0, options))
	w.requireType("overlay", path)
}

func (w *World) requireType(kind, path string) {
	if got := w.MountAt(w.tid, path).Type; got != kind {
		w.Broken("set-up: the filesystem at %s is %s, wanted %s", path, got, kind)
	}
}
