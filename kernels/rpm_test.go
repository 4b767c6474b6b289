package kernels

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pivotspec/kernels/kerneltest"
)

// rpmMember is a file for fakeRPM, whose cpio entries can differ from what its header says.
type rpmMember struct {
	path    string
	content string
	mode    uint32 // a plain file's if 0
	link    string
	ghost   bool
	inode   uint32
	entry   string // the name in the payload if not "." and the path
	absent  bool   // from the payload
	size    uint32 // in the payload, if not that of content
}

// fakeRPM makes a package of x86_64 by hand, with everything in it under the test's control.
type fakeRPM struct {
	members  []rpmMember
	stripped bool
	trailer  bool
	digest   bool
	tags     []fakeTag // further ones
	arch     string
}

type fakeTag struct {
	tag, kind, count uint32
	data             string
}

func fakeHeader(tags []fakeTag, padded bool) []byte {
	var index, data []byte
	for _, t := range tags {
		for t.kind == 4 && len(data)%4 != 0 || t.kind == 5 && len(data)%8 != 0 {
			data = append(data, 0)
		}
		for _, v := range []uint32{t.tag, t.kind, uint32(len(data)), t.count} {
			index = binary.BigEndian.AppendUint32(index, v)
		}
		data = append(data, t.data...)
	}
	b := append([]byte(rpmHeaderMagic), 0, 0, 0, 0)
	b = binary.BigEndian.AppendUint32(b, uint32(len(tags)))
	b = binary.BigEndian.AppendUint32(b, uint32(len(data)))
	b = append(append(b, index...), data...)
	for padded && len(b)%8 != 0 {
		b = append(b, 0)
	}
	return b
}

func (f fakeRPM) bytes() []byte {
	var cpio []byte
	pad := func() {
		for len(cpio)%4 != 0 {
			cpio = append(cpio, 0)
		}
	}
	newc := func(name string, size uint32) {
		cpio = fmt.Appendf(cpio, "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X", 1, 0o100644, 0, 0, 1, 0, size, 0, 0, 0, 0, len(name)+1, 0)
		cpio = append(append(cpio, name...), 0)
		pad()
	}
	var names, links string
	var modes, sizes, long, flags, inodes, dirs []byte
	for i, m := range f.members {
		if m.mode == 0 {
			m.mode = 0o100644
		}
		names, links = names+m.path+"\x00", links+m.link+"\x00"
		modes = binary.BigEndian.AppendUint16(modes, uint16(m.mode))
		sizes = binary.BigEndian.AppendUint32(sizes, uint32(len(m.content)))
		long = binary.BigEndian.AppendUint64(long, uint64(len(m.content)))
		inodes = binary.BigEndian.AppendUint32(inodes, m.inode)
		dirs = binary.BigEndian.AppendUint32(dirs, 0)
		flag := uint32(0)
		if m.ghost {
			flag = rpmGhost
		}
		flags = binary.BigEndian.AppendUint32(flags, flag)
		if m.ghost || m.absent {
			continue
		}
		content := m.content
		if m.link != "" {
			content = m.link
		}
		if f.stripped {
			cpio = fmt.Appendf(cpio, "07070X%08X", i)
			pad()
		} else {
			name := m.entry
			if name == "" {
				name = "./" + m.path
			}
			size := uint32(len(content))
			if m.size != 0 {
				size = m.size
			}
			newc(name, size)
		}
		cpio = append(cpio, content...)
		pad()
	}
	if f.trailer {
		newc(cpioTrailer, 0)
	}
	payload := zstdFrame(cpio)
	arch := f.arch
	if arch == "" {
		arch = "x86_64"
	}
	n := uint32(len(f.members))
	tags := append([]fakeTag{
		{rpmName, 6, 1, "kernel\x00"}, {rpmVersion, 6, 1, "1\x00"}, {rpmRelease, 6, 1, "2\x00"}, {rpmArch, 6, 1, arch + "\x00"},
		{rpmFileModes, 3, n, string(modes)}, {rpmFileLinks, 8, n, links}, {rpmFileFlags, 4, n, string(flags)},
		{rpmFileInodes, 4, n, string(inodes)}, {rpmDirIndexes, 4, n, string(dirs)}, {rpmBaseNames, 8, n, names}, {rpmDirNames, 8, 1, "/\x00"},
	}, f.tags...)
	if f.stripped {
		tags = append(tags, fakeTag{rpmLongFileSizes, 5, n, string(long)})
	} else {
		tags = append(tags, fakeTag{rpmFileSizes, 4, n, string(sizes)})
	}
	if f.digest {
		sum := sha256.Sum256(payload)
		tags = append(tags, fakeTag{rpmPayloadDigests, 8, 1, hex.EncodeToString(sum[:]) + "\x00"}, fakeTag{rpmPayloadAlgo, 4, 1, "\x00\x00\x00\x08"})
	}
	lead := make([]byte, 96)
	copy(lead, rpmMagic+"\x03\x00")
	return append(append(append(lead, fakeHeader([]fakeTag{{1000, 4, 1, "\x00\x00\x00\x01"}}, true)...), fakeHeader(tags, false)...), payload...)
}

func plainRPM(members ...rpmMember) []byte {
	return fakeRPM{members: members, trailer: true, digest: true}.bytes()
}

func readAllRPM(b []byte) (string, error) {
	var s strings.Builder
	c, err := readRPM(bytes.NewReader(b), func(m Member) error {
		if !m.Mode.IsRegular() || m.Hard {
			fmt.Fprintf(&s, "%s>%s;", m.Path, m.Link)
			return nil
		}
		c, err := io.ReadAll(io.LimitReader(m.Content, 1<<20))
		fmt.Fprintf(&s, "%s=%s;", m.Path, c)
		return err
	})
	return c.Name + " " + c.Version + " " + c.Arch + ";" + s.String(), err
}

func TestReadRPM(t *testing.T) {
	const head = "kernel 1-2 amd64;"
	a, b := rpmMember{path: "boot/a", content: "AAAAA"}, rpmMember{path: "b", content: "B"}
	good := plainRPM(a, b)
	for _, tt := range []struct {
		name string
		data []byte
		want string
		fail string
	}{
		{"two files", good, head + "boot/a=AAAAA;b=B;", ""},
		{"with a stripped payload", fakeRPM{members: []rpmMember{a, b, {path: "l", mode: 0o120777, link: "b"}, {path: "d", mode: 0o040755}}, stripped: true, trailer: true}.bytes(), head + "boot/a=AAAAA;b=B;l>b;d>;", ""},
		{"hard links in a stripped payload", fakeRPM{members: []rpmMember{{path: "x", content: "", inode: 7}, {path: "y", content: "YY", inode: 7}}, stripped: true, trailer: true}.bytes(), head + "x=;y=YY;", ""},
		{"a ghost", plainRPM(rpmMember{path: "boot/g", content: "not here", ghost: true}, b), head + "b=B;", ""},
		{"links, folders and devices", plainRPM(rpmMember{path: "l", mode: 0o120777, link: "/etc/passwd"}, rpmMember{path: "d", mode: 0o040755}, rpmMember{path: "n", mode: 0o020600}), head + "l>/etc/passwd;d>;", ""},
		{"no files", plainRPM(), head, ""},

		{"empty", nil, "", "not an RPM"},
		{"lead only", good[:96], "", "cut short in its header"},
		{"cut in the lead", good[:50], "", "cut short in its lead"},
		{"cut in the payload", good[:len(good)-10], "", "payload"},
		{"damaged in the payload", append(bytes.Clone(good[:len(good)-9]), append([]byte{good[len(good)-9] ^ 1}, good[len(good)-8:]...)...), "", "payload"},
		{"longer than it was", append(bytes.Clone(good), 0), "", "payload"},
		{"no trailer", fakeRPM{members: []rpmMember{b}}.bytes(), "", "cut short"},
		{"a path that climbs", plainRPM(rpmMember{path: "../../etc/x", content: "x"}), "", "leads out"},
		{"a path that climbs in the payload alone", plainRPM(rpmMember{path: "x", content: "x", entry: "./../x"}), "", "leads out"},
		{"a file that the header has not", plainRPM(rpmMember{path: "x", content: "x", entry: "./y"}), "", "header has not"},
		{"a file twice", plainRPM(b, rpmMember{path: "c", content: "x", entry: "./b"}), "", "two files called b"},
		{"a file bigger than the payload", plainRPM(rpmMember{path: "x", content: "x", size: 1 << 20}), "", "unexpected EOF"},
		{"a huge file", plainRPM(rpmMember{path: "x", content: "x", size: 1 << 30}), "", "bigger than anything genuine"},
		{"a source package", fakeRPM{members: []rpmMember{b}, trailer: true, tags: []fakeTag{{rpmSource, 4, 1, "\x00\x00\x00\x01"}}}.bytes(), "", "source package"},
		{"another payload", fakeRPM{members: []rpmMember{b}, trailer: true, tags: []fakeTag{{rpmFormat, 6, 1, "drpm\x00"}}}.bytes(), "", "not cpio"},
		{"lists that differ in length", fakeRPM{members: []rpmMember{b}, trailer: true, tags: []fakeTag{{rpmBaseNames, 8, 2, "b\x00c\x00"}}}.bytes(), "", "differ in length"},
		{"a folder out of the list", fakeRPM{members: []rpmMember{b}, trailer: true, tags: []fakeTag{{rpmDirIndexes, 4, 1, "\x00\x00\x00\x09"}}}.bytes(), "", "without a folder"},
		{"a header of 4 GiB", append(append(bytes.Clone(good[:96]), rpmHeaderMagic...), "\x00\x00\x00\x00\x00\x00\x00\x01\xff\xff\xff\xf0"...), "", "bigger than anything genuine"},
		{"a header of as many tags", append(append(bytes.Clone(good[:96]), rpmHeaderMagic...), "\x00\x00\x00\x00\x10\x00\x00\x01\x00\x00\x00\x00"...), "", "bigger than anything genuine"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := readAllRPM(tt.data)
			if tt.fail == "" && (err != nil || got != tt.want) || tt.fail != "" && (err == nil || !strings.Contains(err.Error(), tt.fail) || strings.Contains(err.Error(), "\n")) {
				t.Errorf("%q, %v; want %q, %q", got, err, tt.want, tt.fail)
			}
		})
	}
	for n := range good {
		if got, err := readAllRPM(good[:n]); err == nil {
			t.Fatalf("%d of %d bytes are taken for %s", n, len(good), got)
		}
	}
}

// TestReadRPMOfOthers: packages that other programs made. Those in testdata are rpmbuild's.
func TestReadRPMOfOthers(t *testing.T) {
	check := func(t *testing.T, b []byte) {
		t.Helper()
		got, err := readAllRPM(b)
		if err != nil || !strings.Contains(got, ";boot/config-1=CONFIG_PVH=y\n;") {
			t.Errorf("%q, %v", got, err)
		}
	}
	for _, compressor := range []string{"gzip", "xz", "lzma", "zstd"} {
		b, err := kerneltest.RPM("kernel", "x86_64", compressor, map[string]string{"/boot/config-1": "CONFIG_PVH=y\n"})
		if err != nil {
			t.Fatal(err)
		}
		check(t, b)
	}
	files, err := filepath.Glob("testdata/*.rpm")
	if err != nil || len(files) != 5 {
		t.Fatalf("%q, %v", files, err)
	}
	for _, f := range files {
		b, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		check(t, b)
	}
}

func TestRPMArchName(t *testing.T) {
	c := load(t)
	for rpm, want := range map[string]string{"x86_64": "amd64", "i686": "i386", "aarch64": "arm64", "armv7hl": "armhf", "ppc64le": "ppc64el",
		"s390x": "s390x", "riscv64": "riscv64", "mips64el": "mips64el", "loongarch64": "loong64", "noarch": "all"} {
		got := rpmArchName(rpm)
		known := got == "all"
		for _, a := range c.Archs() {
			known = known || a == got
		}
		if got != want || !known {
			t.Errorf("%s is %s, want %s, which the catalogue has", rpm, got, want)
		}
	}
}

func FuzzReadRPM(f *testing.F) {
	f.Add(plainRPM(rpmMember{path: "boot/a", content: "A"}, rpmMember{path: "l", mode: 0o120777, link: "a"}))
	f.Add(fakeRPM{members: []rpmMember{{path: "a", content: "A", inode: 3}, {path: "b", content: "A", inode: 3}}, stripped: true, trailer: true}.bytes())
	files, err := filepath.Glob("testdata/*.rpm")
	if err != nil {
		f.Fatal(err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		readRPM(bytes.NewReader(b), func(m Member) error {
			if strings.HasPrefix(m.Path, "/") || m.Path == ".." || strings.HasPrefix(m.Path, "../") || m.Size < 0 {
				t.Fatalf("%q, %d", m.Path, m.Size)
			}
			n, err := io.Copy(io.Discard, m.Content)
			if err == nil && n != m.Size && m.Mode.IsRegular() {
				t.Fatalf("%s has %d bytes, not %d", m.Path, n, m.Size)
			}
			return err
		})
	})
}

// FuzzReadCPIO: the payload by itself, which a fuzzer would hardly compress.
func FuzzReadCPIO(f *testing.F) {
	files := []rpmFile{{path: "a", mode: 0o100644, size: 5, inode: 1}, {path: "b", mode: 0o100644, size: 5, inode: 1}, {path: "l", mode: 0o120777, link: "a"}, {path: "d", mode: 0o040755}}
	f.Add([]byte("070701" + strings.Repeat("0", 46) + "00000005" + strings.Repeat("0", 32) + "00000004" + "00000000" + "./a\x00\x00\x00AAAAA\x00\x00\x00" + "07070X00000001\x00\x00AAAAA"))
	f.Fuzz(func(t *testing.T, b []byte) {
		err := readCPIO(bytes.NewReader(b), files, func(m Member) error {
			_, err := io.Copy(io.Discard, m.Content)
			return err
		})
		if err == nil && !bytes.Contains(b, []byte(cpioTrailer)) {
			t.Fatal("an archive without an end")
		}
		if errors.Is(err, errEnough) {
			t.Fatal(err)
		}
	})
}
