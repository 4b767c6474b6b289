// Package kernels knows which kernels there are, fetches them, and turns whatever a user
// calls a kernel (a catalogue name, an image, packages, a folder) into something that boots.
//
// What a user gives may come from a stranger. It is told by its content; what is taken out of it
// is known by its path alone and lies in the cache under a name of the cache's; how much it may
// be, and how many times its compressed size, is bounded; no link in it is followed out of it;
// and what is wrong with it is one line, of a [NotKernelError].
//
// The kernels that have a name are data, in catalogue.yaml. They come from Debian's archive,
// through the machine's own apt client and mirror, into a per-user cache: see [Store].
package kernels

// Kernel is a kernel that is on this machine and ready to boot.
type Kernel struct {
	// Name is what the user called it: a catalogue name such as "7.0", or a path.
	Name string `json:"name"`
	// Series is the two leading numbers of the version, such as "6.12".
	Series string `json:"series"`
	// Version is the kernel's own release string, such as "7.0.13+deb13-cloud-amd64".
	Version string `json:"version"`
	// Arch is Debian's name of the architecture, such as "amd64".
	Arch string `json:"arch"`
	// Package and PackageVersion say where it came from; empty for a file.
	Package        string `json:"package,omitempty"`
	PackageVersion string `json:"package_version,omitempty"`
	// SHA256 is the hash of the image as shipped, in hexadecimal.
	SHA256 string `json:"sha256"`

	// Image is the path of the kernel image as shipped.
	Image string `json:"-"`
	// Boot is the path of the file to give to QEMU as -kernel: the kernel from inside Image where
	// that boots, and faster, else Image itself.
	Boot string `json:"-"`
	// NoModules says why Modules is "", where that is known; for people.
	NoModules string `json:"no_modules,omitempty"`
	// Modules is a folder with the kernel's modules, in any depth: lib/modules/VERSION of a
	// kernel given as a folder, else those files of it that the catalogue keeps. "" if it came
	// without.
	Modules string `json:"-"`
	// Config is the path of the kernel's configuration: what the kernel itself carries if it was
	// built with CONFIG_IKCONFIG, else what came with it. "" if it came without. See [Kernel.ReadConfig].
	Config string `json:"-"`
}

// PVH says whether Boot is a kernel from inside Image: on x86 a vmlinux with a PVH entry, of what
// QEMU does not unpack the image in it.
func (k Kernel) PVH() bool { return k.Boot != k.Image }
