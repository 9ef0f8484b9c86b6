package trail

import "os"

// writableFolder returns an error if dir does not exist. Whether this process
// may write there shows when it does.
func writableFolder(dir string) error {
	_, err := os.Stat(dir)
	return err
}
