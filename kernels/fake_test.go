package kernels

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"debug/elf"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/klauspost/compress/zstd"
)

// fakeVmlinux is the least that is a vmlinux for amd64: one segment with Linux's banner and,
// if pvh is set, a note with the PVH entry.
func fakeVmlinux(release string, pvh bool) []byte {
	text := []byte("\x00Linux version %s (%s)\x00Linux version " + release + " (builder@host) (gcc) #1 SMP\n\x00")
	note := make([]byte, 0, 20)
	for _, v := range []uint32{4, 4, 18} {
		note = binary.LittleEndian.AppendUint32(note, v)
	}
	note = append(note, "Xen\x00\x00\x00\x00\x01"...)
	phs := []elf.Prog64{{Type: uint32(elf.PT_LOAD), Filesz: uint64(len(text)), Memsz: uint64(len(text))}}
	if pvh {
		phs = append(phs, elf.Prog64{Type: uint32(elf.PT_NOTE), Filesz: uint64(len(note)), Memsz: uint64(len(note))})
	}
	off := uint64(64 + 56*len(phs))
	phs[0].Off = off
	if pvh {
		phs[1].Off = off + uint64(len(text))
	}
	h := elf.Header64{Type: uint16(elf.ET_EXEC), Machine: uint16(elf.EM_X86_64), Version: 1, Phoff: 64, Ehsize: 64, Phentsize: 56, Phnum: uint16(len(phs)), Shentsize: 64}
	copy(h.Ident[:], elf.ELFMAG+"\x02\x01\x01")
	var b bytes.Buffer
	for _, v := range []any{h, phs, text, note} {
		if err := binary.Write(&b, binary.LittleEndian, v); err != nil {
			panic(err)
		}
	}
	return b.Bytes()
}

// fakeBzImage is the least that is a bzImage for amd64, with payload inside.
func fakeBzImage(release string, payload []byte) []byte {
	b := make([]byte, 5*512)
	le := binary.LittleEndian
	b[0x1f1] = 4
	copy(b[0x1fe:], "\x55\xaa")
	copy(b[0x202:], "HdrS")
	le.PutUint16(b[0x206:], 0x20f)
	le.PutUint16(b[0x20e:], 0x100)
	copy(b[0x300:], release+" (builder@host) #1 SMP\x00")
	b[0x211] = 1
	le.PutUint16(b[0x236:], 0x7f)
	const before = 32 // decompressor's code
	le.PutUint32(b[0x248:], before)
	le.PutUint32(b[0x24c:], uint32(len(payload)))
	b = append(b, make([]byte, before)...)
	b = append(b, payload...)
	for len(b)%16 != 0 {
		b = append(b, 0)
	}
	le.PutUint32(b[0x1f4:], uint32((len(b)-5*512)/16))
	return b
}

// zstdPayload and gzipPayload compress as the kernel's build does: with the size behind.
func zstdPayload(b []byte) []byte {
	w, _ := zstd.NewWriter(nil)
	return binary.LittleEndian.AppendUint32(w.EncodeAll(b, nil), uint32(len(b)))
}

func gzipPayload(b []byte) []byte {
	// gzip's own trailer is that size
	var z bytes.Buffer
	w := gzip.NewWriter(&z)
	w.Write(b)
	w.Close()
	return binary.LittleEndian.AppendUint32(z.Bytes(), uint32(len(b)))
}

func fakeKernel(release string) []byte {
	return fakeBzImage(release, zstdPayload(fakeVmlinux(release, true)))
}

// fakeAr makes an ar archive of name, content pairs.
func fakeAr(members ...string) []byte {
	b := []byte("!<arch>\n")
	for i := 0; i < len(members); i += 2 {
		b = fmt.Appendf(b, "%-16s%-12d%-6d%-6d%-8s%-10d`\n%s", members[i], 0, 0, 0, "100644", len(members[i+1]), members[i+1])
		if len(members[i+1])%2 == 1 {
			b = append(b, '\n')
		}
	}
	return b
}

// fakeTar makes a gzipped tar of the given headers and contents.
func fakeTar(t testing.TB, files ...tarFile) string {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	io.WriteString(z, plainTar(t, files...))
	z.Close()
	return b.String()
}

func plainTar(t testing.TB, files ...tarFile) string {
	t.Helper()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, f := range files {
		typ := f.typ
		if typ == 0 {
			typ = tar.TypeReg
		}
		if err := w.WriteHeader(&tar.Header{Name: f.name, Typeflag: typ, Linkname: f.link, Size: int64(len(f.content)), Mode: 0o644}); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Write(f.content); err != nil {
			t.Fatal(err)
		}
	}
	w.Close()
	return b.String()
}

type tarFile struct {
	name    string
	content []byte
	typ     byte
	link    string
}

func fakeDeb(t testing.TB, files ...tarFile) []byte {
	t.Helper()
	return fakeAr("debian-binary", "2.0\n", "control.tar.gz", fakeTar(t), "data.tar.gz", fakeTar(t, files...))
}

// aptScript stands in for apt-get. It serves the package lists SUITE.ARCH.Packages and the
// packages in pool/ from the folder $FAKE_APT; a file COMMAND.err there makes that command
// print it and fail. Every call is noted in the file log.
const aptScript = `#!/bin/sh
echo "$*" >>"$FAKE_APT/log"
conf= command=
while [ $# -gt 0 ]; do
	case $1 in
	-c) conf=$2; shift;;
	-q) ;;
	-o|--format) shift;;
	update|download|indextargets) command=$1;;
	*) rest="$rest $1";;
	esac
	shift
done
state=$(dirname "$conf")
if [ "$command" = indextargets ] && [ -z "$conf" ]; then
	cat "$FAKE_APT/targets"
	exit
fi
if [ -e "$FAKE_APT/$command.err" ]; then
	cat "$FAKE_APT/$command.err" >&2
	exit 100
fi
status=0
case $command in
indextargets)
	for f in "$state"/lists/*.Packages; do
		[ -e "$f" ] || continue
		n=${f##*/}; n=${n%.Packages}
		echo "${n%.*}|${n##*.}|$f"
	done;;
update)
	while read -r deb options mirror suite component; do
		for arch in $(echo "$options" | sed 's/.*arch=\([^] ]*\).*/\1/; s/,/ /g'); do
			if [ -e "$FAKE_APT/$suite.$arch.Packages" ]; then
				cp "$FAKE_APT/$suite.$arch.Packages" "$state/lists/"
			else
				echo "E: The repository '$mirror $suite Release' does not have a Release file." >&2
				status=100
			fi
		done
	done <<-END
	$(sed 's/ target=[^]]*//' "$state/sources.list")
	END
	;;
download)
	for p in $rest; do
		name=${p%%:*}; v=${p#*=}; a=${p#*:}; a=${a%%=*}
		f=$name"_"$v"_"$a.deb
		if [ -e "$FAKE_APT/pool/$f" ]; then
			cp "$FAKE_APT/pool/$f" .
		else
			echo "E: Failed to fetch pool/$f  404  Not Found" >&2
			status=100
		fi
	done;;
esac
exit $status
`

// fakeArchive is a Debian archive for aptScript.
type fakeArchive struct {
	t   testing.TB
	dir string
}

// newFakeArchive makes one, empty, and puts its apt-get in front of PATH.
func newFakeArchive(t *testing.T) *fakeArchive {
	t.Helper()
	a := &fakeArchive{t, t.TempDir()}
	a.write("bin/apt-get", aptScript)
	if err := os.Chmod(filepath.Join(a.dir, "bin/apt-get"), 0o755); err != nil {
		t.Fatal(err)
	}
	a.write("targets", "http://mirror.example/debian-security/|Debian|Debian-Security\nhttp://mirror.example/debian/|Debian|Debian\n")
	a.write("log", "")
	a.write("key.gpg", "")
	t.Setenv("FAKE_APT", a.dir)
	t.Setenv("PATH", filepath.Join(a.dir, "bin")+":/usr/bin:/bin")
	return a
}

func (a *fakeArchive) path(name string) string { return filepath.Join(a.dir, name) }

func (a *fakeArchive) write(name, text string) {
	a.t.Helper()
	if err := os.MkdirAll(filepath.Dir(a.path(name)), 0o755); err != nil {
		a.t.Fatal(err)
	}
	f, err := os.OpenFile(a.path(name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		a.t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString(text); err != nil {
		a.t.Fatal(err)
	}
}

func (a *fakeArchive) log() string {
	b, err := os.ReadFile(a.path("log"))
	if err != nil {
		a.t.Fatal(err)
	}
	return string(b)
}

// add puts a package into a suite. Its file in the pool is written unless deb is nil.
func (a *fakeArchive) add(suite, arch, pkg, version string, deb []byte) {
	sum := sha256.Sum256(deb)
	a.write(suite+"."+arch+".Packages", fmt.Sprintf("Package: %s\nVersion: %s\nArchitecture: %s\nSize: %d\nSHA256: %s\n\n",
		pkg, version, arch, len(deb), hex.EncodeToString(sum[:])))
	if deb != nil {
		a.write("pool/"+pkg+"_"+version+"_"+arch+".deb", string(deb))
	}
}

// addKernel puts a whole kernel package for amd64 into a suite.
func (a *fakeArchive) addKernel(suite, release, version string) {
	a.add(suite, "amd64", "linux-image-"+release, version, fakeDeb(a.t,
		tarFile{name: "./boot/config-" + release, content: []byte("CONFIG_PVH=y\n")},
		tarFile{name: "./boot/vmlinuz-" + release, content: fakeKernel(release)}))
}

// testCatalogue is a catalogue like the real one, with the given rows.
func testCatalogue(t testing.TB, keyring string, rows ...string) *Catalogue {
	t.Helper()
	text := string(catalogueYAML)
	head, rest, _ := strings.Cut(text, "\nkernels:\n")
	_, tail, _ := strings.Cut(rest, "\n# folders say")
	text = head + "\nkernels:\n  - " + strings.Join(rows, "\n  - ") + "\n\n# folders say" + tail
	if keyring != "" {
		text = strings.Replace(text, "keyrings:\n", "keyrings:\n  - "+keyring+"\n", 1)
	}
	c, err := Parse([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return c
}
