package kernels

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// IsPath says whether a user who writes ref means a file or folder and not a name of the
// catalogue: it has a slash in front or a dot, or there is something of that name.
// A name of the catalogue wins over a file that happens to be called like it.
func (c *Catalogue) IsPath(ref string) bool {
	if strings.HasPrefix(ref, "/") || strings.HasPrefix(ref, "./") || strings.HasPrefix(ref, "../") || ref == "." || ref == ".." {
		return true
	}
	if _, err := c.Lookup(ref, ""); err == nil {
		return false
	}
	_, err := os.Lstat(ref)
	return err == nil
}

// FromPath makes a kernel of a file (an image or a package) or of a folder that holds one image
// (an unpacked package, a build tree, a boot folder) or the packages of one kernel. What is no
// kernel, is cut short, or holds several gives a *NotKernelError; a cache that fails when it is
// needed, to unpack a package, an *Unavailable.
func (s *Store) FromPath(ctx context.Context, ref string) (Kernel, error) {
	st, err := os.Stat(ref)
	if err != nil {
		return Kernel{}, &NotKernelError{Path: ref, Why: reasonOf(err), Do: "give a kernel image, a folder with one, or a name from `pivotspec kernels list`", Err: err}
	}
	image, root := ref, filepath.Dir(ref)
	switch {
	case st.IsDir():
		root = ref
		var found bool
		if image, found, err = s.cat.imageIn(ref); err != nil {
			return Kernel{}, err
		}
		if !found {
			given, err := s.cat.packagesIn(ref)
			if err != nil {
				return Kernel{}, err
			}
			if len(given) > 0 {
				return s.fromPackages(ctx, ref, given)
			}
			return Kernel{}, s.cat.noImageIn(ref)
		}
	case formatOf(ref) != "":
		return s.fromPackages(ctx, ref, append([]string{ref}, s.cat.siblings(ref)...))
	}
	img, err := Identify(image)
	if err != nil {
		return Kernel{}, err
	}
	if err := bootableVmlinux(img); err != nil {
		return Kernel{}, notPVH(image, err)
	}
	if image, err = filepath.Abs(image); err != nil {
		return Kernel{}, &NotKernelError{Path: ref, Why: err.Error(), Do: "give an absolute path", Err: err}
	}
	tree := ""
	if st.IsDir() {
		tree = ref
	} else if tree = treeOf(image); tree != "" {
		root = tree
	}
	k := Kernel{Name: ref, Series: seriesOf(img.Version), Version: img.Version, Arch: img.Arch, Image: image, Boot: image}
	if k.SHA256, err = HashFile(image); err != nil {
		return Kernel{}, &NotKernelError{Path: image, Why: reasonOf(err), Do: "make it readable", Err: err}
	}
	k.Config = s.cat.configBeside(root, k.Version)
	// from 7.2 on the image lies in the folder of the modules, also where they are not
	k.Modules = lookBeside(root, s.cat.beside.Modules, k.Version, fs.FileMode.IsDir, "kernel")
	switch {
	case k.Modules != "":
	case tree != "":
		if k.Modules, k.NoModules, err = s.builtModules(ctx, tree); err != nil {
			return Kernel{}, err
		}
	default:
		k.NoModules = "there is no modules folder of its release beside it"
	}
	if img.Kind == KindBzImage && img.payloadSize == 0 {
		k.withoutModules()
		return k, nil // there is nothing inside
	}
	m, err := s.once(ctx, "image-"+k.SHA256, func(dir string) (meta, error) { return describe(dir, image) })
	var u *Unavailable
	switch {
	case err == nil:
		if m.PVH {
			k.Boot = m.Boot
		}
		if m.Config != "" {
			k.Config = m.Config
		}
	case ctx.Err() != nil:
		return Kernel{}, ctx.Err()
	case errors.As(err, &u) && img.boots():
		// without a cache the image still boots by its own entry
	case errors.As(err, &u):
		return Kernel{}, u.named(ref)
	case errors.Is(err, errNoPVH):
		return Kernel{}, notPVH(image, err)
	default:
		return Kernel{}, &NotKernelError{Path: image, Truncated: errors.As(err, new(truncated)), Why: err.Error(), Do: "copy or build it again", Err: err}
	}
	s.unwrap(ctx, &k)
	k.withoutModules()
	return k, nil
}

// notPVH is the error of a vmlinux for x86 that QEMU does not boot.
func notPVH(path string, err error) error {
	return &NotKernelError{Path: path, Why: err.Error(), Do: "give the bzImage, or build with CONFIG_PVH=y", Err: err}
}

// HashFile returns the SHA-256 of a file, in hexadecimal. Its error names the file.
func HashFile(path string) (string, error) {
	f, err := openRegular(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// once returns the entry files/ID of the cache; fill fills its folder if it is not there yet.
// A failure of the cache is an *Unavailable, one of fill's is returned as it is.
func (s *Store) once(ctx context.Context, id string, fill func(dir string) (meta, error)) (meta, error) {
	target := filepath.Join(s.dir, "files", id)
	if m, ok := readEntry(target); ok && m.Looked == looked {
		return m, nil
	}
	unlock, err := s.lock(ctx, "files", func() {})
	if err != nil {
		return meta{}, storeFailure(err)
	}
	defer unlock()
	if m, ok := readEntry(target); ok && m.Looked == looked {
		return m, nil
	}
	work, err := s.workFolder("files")
	if err != nil {
		return meta{}, storeFailure(err)
	}
	defer os.RemoveAll(work)
	m, err := fill(work)
	if isOurs(err) {
		return meta{}, storeFailure(err)
	}
	if err != nil {
		return meta{}, err
	}
	if err := writeMeta(work, m); err != nil {
		return meta{}, storeFailure(err)
	}
	if err := publish(work, target); err != nil {
		return meta{}, storeFailure(err)
	}
	m.place(target)
	return m, nil
}
