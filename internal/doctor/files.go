package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"rollcall/internal/ownfile"
)

// files checks who owns the files of the installation, and who may open them.
func (x *examination) files() {
	dir, err := os.Stat(x.Data)
	if err != nil {
		if x.Store.URL == "" || !errors.Is(err, fs.ErrNotExist) || x.inData(x.MasterFile) {
			x.fault("data directory", reason(err), "name it with --data, or create it with 'rollcall account create'")
		}
		return
	}
	x.directory(dir)
	before := x.noted()
	for _, name := range x.privateFiles() {
		x.private(name, dir)
	}
	if x.noted() == before {
		x.ok("files", "only their owner may open them")
	}
}

func (x *examination) inData(file string) bool { return filepath.Dir(file) == filepath.Clean(x.Data) }

// directory checks the data directory itself.
func (x *examination) directory(dir fs.FileInfo) {
	const check = "data directory"
	switch {
	case !dir.IsDir():
		x.fault(check, x.Data+" is not a directory", "name a directory with --data")
	case dir.Mode().Perm()&0o077 != 0:
		x.fault(check, fmt.Sprintf("%s is open to others (mode %04o), and the service refuses it", x.Data,
			dir.Mode().Perm()), "chmod 700 "+x.Data)
	case !mayUse(dir):
		x.fault(check, fmt.Sprintf("%s belongs to %s", x.Data, ownerName(dir)),
			"run this command and the service as that user")
	default:
		x.ok(check, fmt.Sprintf("%s, of %s", x.Data, ownerName(dir)))
	}
}

// privateFiles returns the files that only the service may open.
func (x *examination) privateFiles() []string {
	files := []string{x.MasterFile, x.MasterFile + ".lock"}
	if x.Store.Path != "" {
		path := ownfile.Resolve(x.Store.Path)
		files = append(files, path, path+"-wal", path+"-shm", path+".lock")
	}
	if !strings.Contains(x.Trail, "://") && x.Trail != "-" && x.Trail != "off" {
		files = append(files, x.Trail)
	}
	return files
}

// private checks one of them. A missing file is for the checks of its content.
func (x *examination) private(name string, dir fs.FileInfo) {
	check := "file " + filepath.Base(name)
	info, err := os.Stat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		x.fault(check, reason(err), "run this command as the user of the service")
	case foreign(info, dir):
		x.fault(check, fmt.Sprintf("%s belongs to %s, and the data directory to %s", name, ownerName(info),
			ownerName(dir)), fmt.Sprintf("chown %s %s", ownerName(dir), name))
	case info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0 && !lent(info):
		x.warn(check, fmt.Sprintf("%s is open to others (mode %04o)", name, info.Mode().Perm()), "chmod 600 "+name)
	}
}

// reason returns an error in one line. It names a file, and not the call of the system
// that failed.
func reason(err error) string {
	text := err.Error()
	var of *fs.PathError
	if errors.As(err, &of) {
		text = strings.Replace(text, of.Op+" "+of.Path+": ", of.Path+": ", 1)
	}
	return strings.Join(strings.Fields(text), " ")
}
