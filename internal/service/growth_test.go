package service_test

import (
	"database/sql"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	_ "github.com/jackc/pgx/v5/stdlib"
	"github.com/ncruces/go-sqlite3/driver"

	"rollcall/internal/service"
	"rollcall/internal/store"
)

// growth is the number of times that TestNothingGrows creates, uses and deletes
// everything.
var growth = flag.Int("growth", 6, "create, use and delete so many of everything")

// openTables opens the database of a store next to the service.
func openTables(t *testing.T, cfg store.Config) *sql.DB {
	t.Helper()
	var db *sql.DB
	var err error
	if cfg.URL != "" {
		db, err = sql.Open("pgx", cfg.URL)
	} else {
		db, err = driver.Open("file:" + cfg.Path)
	}
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// tableRows counts the rows of every table.
func tableRows(t *testing.T, cfg store.Config) map[string]int {
	t.Helper()
	db := openTables(t, cfg)
	defer db.Close()
	list := `SELECT name FROM sqlite_master WHERE type = 'table'`
	if cfg.URL != "" {
		list = `SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'`
	}
	names, err := db.QueryContext(t.Context(), list)
	if err != nil {
		t.Fatal(err)
	}
	defer names.Close()
	rows := map[string]int{}
	for names.Next() {
		var name string
		if err := names.Scan(&name); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(name, "goose") && !strings.HasPrefix(name, "sqlite_") {
			rows[name] = 0
		}
	}
	for name := range rows {
		var n int
		if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM "+name).Scan(&n); err != nil {
			t.Fatal(err)
		}
		rows[name] = n
	}
	return rows
}

// life creates one thing of each kind, uses it, and deletes it.
func (w *world) life(t *testing.T, n int) {
	name, r := fmt.Sprintf("n%d", n), w.root
	tag := tags("k", "v")
	arn := must(t, r.CreatePolicy,
		&iam.CreatePolicyInput{PolicyName: &name, PolicyDocument: ptr(allowAll), Tags: tag}).Policy.Arn
	must(t, r.CreatePolicyVersion, &iam.CreatePolicyVersionInput{PolicyArn: arn, PolicyDocument: ptr(allowAll)})
	must(t, r.CreateGroup, &iam.CreateGroupInput{GroupName: &name})
	must(t, r.AttachGroupPolicy, &iam.AttachGroupPolicyInput{GroupName: &name, PolicyArn: arn})
	must(t, r.CreateUser, &iam.CreateUserInput{UserName: &name, PermissionsBoundary: arn, Tags: tag})
	must(t, r.AddUserToGroup, &iam.AddUserToGroupInput{UserName: &name, GroupName: &name})
	must(t, r.AttachUserPolicy, &iam.AttachUserPolicyInput{UserName: &name, PolicyArn: arn})
	w.put(t, name, allowAll)
	user := w.asUser(t, name)
	must(t, r.CreateLoginProfile,
		&iam.CreateLoginProfileInput{UserName: &name, Password: ptr("Correct-horse-9-battery")})
	for _, password := range []string{"wrong", rightPassword} {
		w.SignIn.Begin(t.Context(), visit(fmt.Sprint("192.0.2.", n)), as(name, password))
	}
	user.ChangePassword(t.Context(),
		&iam.ChangePasswordInput{OldPassword: ptr("wrong"), NewPassword: ptr("Correct-horse-9-staple")})
	role := w.role(t, name, trusting(name))
	must(t, r.AttachRolePolicy, &iam.AttachRolePolicyInput{RoleName: &name, PolicyArn: arn})
	must(t, r.CreateInstanceProfile, &iam.CreateInstanceProfileInput{InstanceProfileName: &name})
	must(t, r.AddRoleToInstanceProfile, &iam.AddRoleToInstanceProfileInput{InstanceProfileName: &name, RoleName: &name})
	session := w.assume(t, user, role, "night")
	must(t, session.ListUsers, &iam.ListUsersInput{MaxItems: ptr(int32(1))})
	must(t, user.GenerateServiceLastAccessedDetails, &iam.GenerateServiceLastAccessedDetailsInput{Arn: &role})

	must(t, r.RemoveRoleFromInstanceProfile,
		&iam.RemoveRoleFromInstanceProfileInput{InstanceProfileName: &name, RoleName: &name})
	must(t, r.DeleteInstanceProfile, &iam.DeleteInstanceProfileInput{InstanceProfileName: &name})
	must(t, r.DetachRolePolicy, &iam.DetachRolePolicyInput{RoleName: &name, PolicyArn: arn})
	must(t, r.DeleteRole, &iam.DeleteRoleInput{RoleName: &name})
	must(t, r.DeleteLoginProfile, &iam.DeleteLoginProfileInput{UserName: &name})
	must(t, r.DeleteAccessKey, &iam.DeleteAccessKeyInput{UserName: &name, AccessKeyId: &user.id})
	must(t, r.DeleteUserPolicy, &iam.DeleteUserPolicyInput{UserName: &name, PolicyName: ptr("p")})
	must(t, r.DetachUserPolicy, &iam.DetachUserPolicyInput{UserName: &name, PolicyArn: arn})
	must(t, r.RemoveUserFromGroup, &iam.RemoveUserFromGroupInput{UserName: &name, GroupName: &name})
	must(t, r.DeleteUser, &iam.DeleteUserInput{UserName: &name})
	must(t, r.DetachGroupPolicy, &iam.DetachGroupPolicyInput{GroupName: &name, PolicyArn: arn})
	must(t, r.DeleteGroup, &iam.DeleteGroupInput{GroupName: &name})
	must(t, r.DeletePolicyVersion, &iam.DeletePolicyVersionInput{PolicyArn: arn, VersionId: ptr("v2")})
	must(t, r.DeletePolicy, &iam.DeletePolicyInput{PolicyArn: arn})
	// The use by a principal that existed a moment ago may be noted late.
	user.ListUsers(t.Context(), &iam.ListUsersInput{})
	session.ListUsers(t.Context(), &iam.ListUsersInput{})
}

// lives runs many lives, some at the same time.
func (w *world) lives(t *testing.T, from, n int) {
	var next atomic.Int64
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for i := next.Add(1); i <= int64(n) && !t.Failed(); i = next.Add(1) {
				w.life(t, from+int(i))
			}
		})
	}
	wait.Wait()
	if t.Failed() {
		t.FailNow()
	}
	w.trail.lines()
	w.log.lines()
}

// After any number of lives every table, file and map is as small as after the
// first.
func TestNothingGrows(t *testing.T) {
	if aside(t) {
		return
	}
	for name, cfg := range sharedStores {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, service.Config{Store: cfg(t)})
			w.settled(t)
			before := tableRows(t, w.cfg.Store)
			w.lives(t, 0, *growth)
			files, heap := w.settled(t)
			w.lives(t, *growth, *growth)
			filesNow, heapNow := w.settled(t)
			// The outbox is emptied a moment after the trail was written.
			for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(100 * time.Millisecond) {
				if grown := w.grown(t, before); len(grown) == 0 {
					break
				} else if time.Now().After(deadline) {
					t.Errorf("%v", grown)
					break
				}
			}
			// The first lives leave free space in the file that later ones use.
			if filesNow > files+files/4+1<<20 {
				t.Errorf("the database has %d bytes, %d before", filesNow, files)
			}
			if heapNow > heap+8<<20 {
				t.Errorf("the heap has %d MiB, %d before", heapNow>>20, heap>>20)
			}
		})
	}
}

// aside runs a test in a separate process, where nothing else uses memory, and
// returns true. In that process it returns false.
func aside(t *testing.T) bool {
	t.Helper()
	const alone = "ROLLCALL_TEST_ALONE"
	if os.Getenv(alone) == t.Name() {
		return false
	}
	t.Parallel()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v",
		fmt.Sprintf("-growth=%d", *growth))
	cmd.Env = append(os.Environ(), alone+"="+t.Name())
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "--- PASS: "+t.Name()+"/") {
		t.Errorf("%v: %s", err, out)
	}
	return true
}

// grown returns the tables that have more rows than before.
func (w *world) grown(t *testing.T, before map[string]int) (grown []string) {
	t.Helper()
	for table, n := range tableRows(t, w.cfg.Store) {
		if n > before[table] {
			grown = append(grown, fmt.Sprintf("%s: %d rows, %d before", table, n, before[table]))
		}
	}
	return grown
}

// settled writes pending data, forgets old data, and measures the database's
// file and the heap.
func (w *world) settled(t *testing.T) (files int64, heap uint64) {
	t.Helper()
	// A report on service uses first writes all noted uses.
	must(t, w.root.GenerateServiceLastAccessedDetails, &iam.GenerateServiceLastAccessedDetailsInput{Arn: ptr(adminARN)})
	// The key of tokens is replaced after 30 days, and the old one is discarded
	// after 7 more. The service checks every minute of a clock that this test
	// cannot move.
	for _, days := range []time.Duration{31, 8} {
		w.clock.advance(days * 24 * time.Hour)
		if err := w.IAM.TendKeys(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.IAM.Forget(t.Context()); err != nil {
		t.Fatal(err)
	}
	if path := w.cfg.Store.Path; path != "" {
		for _, suffix := range []string{"-shm", "-wal", ""} {
			info, err := os.Stat(path + suffix)
			if err != nil {
				t.Fatal(err)
			}
			if files = info.Size(); files > 40<<20 {
				t.Errorf("%s%s has %d MiB", path, suffix, files>>20)
			}
		}
	}
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return files, m.HeapAlloc
}
