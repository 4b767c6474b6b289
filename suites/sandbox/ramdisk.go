package sandbox

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"unsafe"

	"golang.org/x/sys/unix"
)

// brd is the module of RAM disks, ramDisk the first of them.
const (
	brd     = "brd"
	ramDisk = "/dev/ram0"
)

// RAMDisk is a block device in memory.
type RAMDisk struct {
	Disk
	world *World
	size  int64
	// full is how much memory was available when it had been written, in bytes.
	full int64
}

// RAMDisk returns the first RAM disk with the content of a file, written from its first to its
// last byte so that it takes the memory of its whole size. A kernel without RAM disks ends the spec
// as unsupported. It has to be called before the world leaves its first root.
func (w *World) RAMDisk(image string) *RAMDisk {
	node, err := unix.Open(ramDisk, unix.O_PATH|unix.O_CLOEXEC, 0)
	if errors.Is(err, unix.ENOENT) {
		w.lacks("the kernel has no RAM disk "+ramDisk, brd)
	}
	w.quiet("open "+ramDisk, err)
	w.Defer(func() { unix.Close(node) })
	var st unix.Stat_t
	w.quiet("stat "+ramDisk, unix.Fstat(node, &st))
	content, err := os.ReadFile(image)
	w.quiet("read "+image, err)
	empty := w.available()
	f, err := os.OpenFile(ramDisk, os.O_WRONLY, 0)
	w.quiet("open "+ramDisk, err)
	defer f.Close()
	size, err := f.Seek(0, io.SeekEnd)
	w.quiet("the size of "+ramDisk, err)
	const least = 8 << 20 // less could not be told from what else comes and goes
	if size < least || size < int64(len(content)) {
		w.Broken("set-up: %s has %d bytes, wanted %d", ramDisk, size, max(least, len(content)))
	}
	_, err = f.WriteAt(content, 0)
	w.must(fmt.Sprintf("cat %s > %s", image, ramDisk), err)
	// Not zeros, which a kernel may store as nothing.
	chunk := []byte(strings.Repeat("ballast\n", 1<<17))
	for at := int64(len(content)); at < size; at += int64(len(chunk)) {
		_, err := f.WriteAt(chunk[:min(int64(len(chunk)), size-at)], at)
		w.quiet("fill "+ramDisk, err)
	}
	w.quiet("sync "+ramDisk, f.Sync())
	w.note("fill the rest of " + ramDisk)
	r := &RAMDisk{Disk: Disk{device: uint64(st.Rdev), node: node}, world: w, size: size, full: w.available()}
	if empty-r.full < size/2 {
		w.Broken("set-up: %s with %d bytes takes %d bytes of memory", ramDisk, size, empty-r.full)
	}
	return r
}

// Memory is "given back" if most of what the RAM disk took is available again, else "taken".
func (r *RAMDisk) Memory() string {
	return r.world.memory(r.world.available()-r.full > r.size/2)
}

// Content is "kept" if the RAM disk still has what was written to its end, else "gone".
func (r *RAMDisk) Content() string {
	fd := r.open()
	defer unix.Close(fd)
	buf := make([]byte, 4096)
	_, err := unix.Pread(fd, buf, r.size-int64(len(buf)))
	r.world.quiet("read the RAM disk", err)
	text := "gone"
	if bytes.Contains(buf, []byte("ballast")) {
		text = "kept"
	}
	return r.world.kernel.Tell("content of the RAM disk", text)
}

// open opens the device by its node, which a descriptor opened with O_PATH is.
func (r *RAMDisk) open() int {
	w := r.world
	fd, err := unix.Openat(w.proc, fmt.Sprintf("%d/fd/%d", os.Getpid(), r.node), unix.O_RDWR|unix.O_CLOEXEC, 0)
	w.quiet("open the RAM disk", err)
	return fd
}

// Flush makes the ioctl(2) under test by which the memory of a RAM disk was given back of old:
// BLKFLSBUF.
func (r *RAMDisk) Flush() Call {
	fd := r.open()
	defer unix.Close(fd)
	return r.world.call("ioctl", "ioctl(the RAM disk, BLKFLSBUF)", func() error {
		_, err := unix.IoctlRetInt(fd, unix.BLKFLSBUF)
		return err
	})
}

// Unload makes a delete_module(2) of the RAM disks' module under test.
func (r *RAMDisk) Unload() Call {
	return r.world.call("delete_module", "rmmod "+brd, func() error {
		name, err := unix.BytePtrFromString(brd)
		if err != nil {
			return err
		}
		_, _, e := unix.Syscall(unix.SYS_DELETE_MODULE, uintptr(unsafe.Pointer(name)), unix.O_NONBLOCK, 0)
		if e != 0 {
			return e
		}
		return nil
	})
}

// available returns how many bytes of memory can be had: what is free, the pages that each
// processor keeps for itself, which since 6.7 can be all that was freed last, and the caches that the
// kernel would drop, to which the memory of a RAM disk does not belong.
func (w *World) available() int64 {
	kept, err := keptPages(w.readProc("zoneinfo"))
	w.quiet("read /proc/zoneinfo", err)
	for line := range strings.Lines(w.readProc("meminfo")) {
		f := strings.Fields(line)
		if len(f) == 3 && f[0] == "MemAvailable:" {
			n, err := strconv.ParseInt(f[1], 10, 64)
			w.quiet("read /proc/meminfo", err)
			return n<<10 + kept*int64(os.Getpagesize())
		}
	}
	w.Broken("set-up: /proc/meminfo has no MemAvailable")
	return 0
}

// keptPages returns how many free pages processors keep for themselves, of the text of
// /proc/zoneinfo: the sum of the counts of all pagesets.
func keptPages(text string) (int64, error) {
	var sum int64
	for line := range strings.Lines(text) {
		f := strings.Fields(line)
		if len(f) != 2 || f[0] != "count:" {
			continue
		}
		n, err := strconv.ParseInt(f[1], 10, 64)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}
