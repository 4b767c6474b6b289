package sandbox

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// What only PID 1 of a machine of our own can do: take its disks, leave its initramfs, and see
// what memory that gives back.

// scratch is where [World.BlockDisk] mounts what it needs for as long as it looks for a disk.
const scratch = "/scratch"

// BlockDisk returns the block device with that serial number. Without it the behaviour is
// unsupported for want of the module, the driver that the machine has it on. It has to be called
// before the world leaves its first root.
func (w *World) BlockDisk(serial, module string, readOnly bool) Disk {
	w.quiet("mkdir "+scratch, unix.Mkdir(scratch, 0o755))
	w.quiet("mount -t sysfs sysfs "+scratch, unix.Mount("sysfs", scratch, "sysfs", 0, ""))
	var found string
	// The kernel looks at an NVMe controller behind PID 1's back. Each controller has one disk here.
	w.await("the kernel has looked at its disks", func() bool {
		var disks int
		found, disks = w.findDisk(serial)
		controllers, err := filepath.Glob(scratch + "/class/nvme/nvme*")
		w.quiet("look for NVMe controllers", err)
		return found != "" || disks >= len(controllers)
	})
	w.quiet("umount "+scratch, unix.Unmount(scratch, 0))
	if found == "" {
		w.lacks("the kernel shows no disk "+serial, module)
	}
	major, minor, ok := strings.Cut(found, ":")
	ma, err := strconv.ParseUint(major, 10, 32)
	mi, err2 := strconv.ParseUint(minor, 10, 32)
	if !ok || err != nil || err2 != nil {
		w.Broken("set-up: the disk %s has the number %q", serial, found)
	}
	d := Disk{device: unix.Mkdev(uint32(ma), uint32(mi)), readOnly: readOnly}
	// A node for [World.Claim] on a filesystem of its own, which keeps no root busy.
	w.quiet("mount -t tmpfs tmpfs "+scratch, mountTmpfs(scratch))
	node := scratch + "/disk"
	w.quiet("mknod "+node, unix.Mknod(node, unix.S_IFBLK|0o600, int(d.device)))
	d.node, err = unix.Open(node, unix.O_PATH|unix.O_CLOEXEC, 0)
	w.quiet("open "+node, err)
	w.Defer(func() { unix.Close(d.node) })
	w.quiet("umount --lazy "+scratch, unix.Unmount(scratch, unix.MNT_DETACH))
	w.quiet("rmdir "+scratch, unix.Rmdir(scratch))
	return d
}

// findDisk returns the number of the disk with that serial number, as MAJOR:MINOR, "" if there is
// none, and how many NVMe disks there are.
func (w *World) findDisk(serial string) (number string, nvme int) {
	// virtio_blk has the serial number with the disk, NVMe with the controller, and padded.
	for _, pattern := range []string{scratch + "/block/*/serial", scratch + "/block/nvme*/device/serial"} {
		files, err := filepath.Glob(pattern)
		w.quiet("look for disks", err)
		for _, f := range files {
			b, err := os.ReadFile(f)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			w.quiet("read "+f, err)
			block := strings.Split(strings.TrimPrefix(f, scratch+"/block/"), "/")[0]
			if strings.HasPrefix(block, "nvme") {
				nvme++
			}
			if strings.TrimSpace(string(b)) != serial {
				continue
			}
			b, err = os.ReadFile(filepath.Join(scratch, "block", block, "dev"))
			w.quiet("read the number of "+block, err)
			number = strings.TrimSpace(string(b))
		}
	}
	return number, nvme
}

// Claim opens a disk of [World.BlockDisk] for itself alone, which the kernel refuses with EBUSY
// while a filesystem on it is in use anywhere, and lets go of it.
func (w *World) Claim(d Disk) Call {
	return w.call("open", "open(the disk, O_EXCL)", func() error {
		// A descriptor opened with O_PATH is reopened by its link.
		fd, err := unix.Openat(w.proc, fmt.Sprintf("%d/fd/%d", os.Getpid(), d.node), unix.O_RDONLY|unix.O_EXCL|unix.O_CLOEXEC, 0)
		if err == nil {
			unix.Close(fd)
		}
		return err
	})
}

// TryHold opens a directory, as [World.Hold] does, and says with the errno's symbol what came of it.
func (w *World) TryHold(path string) (release func(), outcome string) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return func() {}, ErrnoName(err)
	}
	w.note("open " + path)
	return func() { unix.Close(fd); w.note("close") }, ErrnoName(nil)
}

// LetGo unmounts, lazily, what init mounted on the initramfs, so that it keeps that busy no
// longer. What the world needs of it stays open.
func (w *World) LetGo() {
	for _, path := range []string{"/proc", "/dev"} {
		w.Detach(path)
	}
}

// ballast is how much a file of [World.Fill] holds, in bytes.
const ballast = 24 << 20

// Fill writes a file of 24 MiB, which on a tmpfs is memory, and makes sure of that.
func (w *World) Fill(path string) *Ballast {
	empty := w.shmem()
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	w.quiet("create "+path, err)
	chunk := make([]byte, 1<<20)
	for range ballast / len(chunk) {
		if _, err = f.Write(chunk); err != nil {
			break
		}
	}
	w.quiet("close "+path, f.Close())
	w.must(fmt.Sprintf("head -c %dM /dev/zero > %s", ballast>>20, path), err)
	b := &Ballast{w, w.shmem()}
	if b.full-empty < ballast/2 {
		w.Broken("set-up: %s takes %d bytes of memory instead of %d", path, b.full-empty, ballast)
	}
	return b
}

// Ballast is a large file in memory.
type Ballast struct {
	world *World
	full  int64 // bytes of memory in use when it had been written
}

// Memory is "given back" if most of the file's memory is free again, else "taken". What else has
// come and gone since is far below what tells the two apart.
func (b *Ballast) Memory() string {
	return b.world.memory(b.full-b.world.shmem() > ballast/2)
}

// memory puts into words what became of memory that was taken.
func (w *World) memory(back bool) string {
	text := "taken"
	if back {
		text = "given back"
	}
	return w.kernel.Tell("memory", text)
}

// shmem returns how many bytes of memory the files of all tmpfs take.
func (w *World) shmem() int64 {
	for line := range strings.Lines(w.readProc("meminfo")) {
		f := strings.Fields(line)
		if len(f) == 3 && f[0] == "Shmem:" {
			n, err := strconv.ParseInt(f[1], 10, 64)
			w.quiet("read /proc/meminfo", err)
			return n << 10
		}
	}
	w.Broken("set-up: /proc/meminfo has no Shmem")
	return 0
}

// Empty removes everything on the root but keep, an entry of it, without entering what is mounted
// there: what switch_root(8) does with an initramfs.
func (w *World) Empty(keep string) {
	w.note("rm -r /* (but " + keep + ")")
	entries, err := os.ReadDir("/")
	w.quiet("list /", err)
	for _, e := range entries {
		if path := "/" + e.Name(); path != keep {
			w.quiet("rm -r "+path, os.RemoveAll(path))
		}
	}
}
