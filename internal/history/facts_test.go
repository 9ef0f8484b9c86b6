package history

import (
	"errors"
	"os"
	"testing"
	"time"
)

func TestFacts(t *testing.T) {
	f, err := Create(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2026, 11, 23, 10, 15, 0, 0, time.UTC)
	s, err := f.Save(Meta{Account: "123456789012", Partition: "aws", GeneratedAt: at}, []byte("user,arn\n"))
	if err != nil {
		t.Fatal(err)
	}
	var got struct{ N int }
	if err := s.ReadFacts(&got); !errors.Is(err, ErrNone) {
		t.Errorf("before there are any: %v", err)
	}
	for _, n := range []int{1, 2} { // the second replaces the first
		if err := f.SaveFacts(s, struct{ N int }{n}); err != nil {
			t.Fatal(err)
		}
		if err := s.ReadFacts(&got); err != nil || got.N != n {
			t.Errorf("%+v, %v", got, err)
		}
	}
	if all, err := f.Snapshots(s.Account); err != nil || len(all) != 1 {
		t.Errorf("facts are taken for a report: %+v, %v", all, err)
	}
	if info, err := os.Stat(s.factsPath()); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info, err)
	}
	if err := os.WriteFile(s.factsPath(), []byte(`{"N":1`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := s.ReadFacts(&got); !errors.Is(err, ErrDamaged) {
		t.Errorf("damaged: %v", err)
	}
}
