//go:build failover

package failover

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"rollcall/internal/subprocess"
)

// cluster is three PostgreSQL servers under Patroni. Each has a network and a
// tree of processes of its own, connected by a bridge. One etcd, which no fault
// touches, knows the leader.
type cluster struct {
	t     *testing.T
	hosts [3]*host
}

// host is one of the servers, with its Patroni.
type host struct {
	name, address, config string
	// run is the first process of the host. All others end with it.
	run *subprocess.Process
}

const network = "198.18.0." // reserved for tests of networks

func newCluster(t *testing.T) *cluster {
	c := &cluster{t: t}
	dir, err := os.MkdirTemp("", "rollcall-failover-")
	c.must(err)
	t.Cleanup(func() { os.RemoveAll(dir) })
	c.must(os.Chmod(dir, 0o755))
	c.ip("link add hub type bridge")
	c.ip("address add " + network + "1/24 dev hub")
	c.ip("link set hub up")
	t.Cleanup(func() { c.ip("link delete hub") })
	c.startEtcd(filepath.Join(dir, "etcd"))
	for i := range c.hosts {
		c.hosts[i] = c.connect(dir, fmt.Sprintf("pg%d", i), network+strconv.Itoa(11+i))
		c.start(c.hosts[i])
	}
	c.waitHealthy()
	return c
}

func (c *cluster) must(err error) {
	c.t.Helper()
	if err != nil {
		c.t.Fatal(err)
	}
}

func (c *cluster) ip(args string) {
	c.t.Helper()
	if out, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput(); err != nil {
		c.t.Fatalf("ip %s: %v: %s (run 'make failover' as root)", args, err, out)
	}
}

func (c *cluster) startEtcd(dir string) {
	at := "http://" + network + "1:2379"
	cmd := exec.Command("etcd", "--data-dir", dir, "--listen-client-urls", at, "--advertise-client-urls", at,
		"--listen-peer-urls", "http://127.0.0.1:2380", "--log-level", "error")
	run, err := subprocess.Start(cmd)
	c.must(err)
	c.t.Cleanup(run.Kill)
}

// connect creates the network of a host, and its configuration of Patroni.
func (c *cluster) connect(dir, name, address string) *host {
	c.ip("netns add " + name)
	c.t.Cleanup(func() { c.ip("netns delete " + name) })
	c.ip("link add " + name + " type veth peer name eth0 netns " + name)
	c.ip("link set " + name + " master hub up")
	c.ip("-n " + name + " address add " + address + "/24 dev eth0")
	c.ip("-n " + name + " link set eth0 up")
	c.ip("-n " + name + " link set lo up")
	h := &host{name: name, address: address, config: filepath.Join(dir, name+".yml")}
	home := filepath.Join(dir, name)
	c.must(os.Mkdir(home, 0o700))
	postgres, err := user.Lookup("postgres")
	c.must(err)
	uid, _ := strconv.Atoi(postgres.Uid)
	gid, _ := strconv.Atoi(postgres.Gid)
	c.must(os.Chown(home, uid, gid))
	bin, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil || len(bin) == 0 {
		c.t.Fatal("no PostgreSQL server on this machine")
	}
	text := strings.NewReplacer("NAME", name, "ADDRESS", address, "NETWORK", network, "HOME", home,
		"BIN", bin[len(bin)-1]).Replace(configuration)
	c.must(os.WriteFile(h.config, []byte(text), 0o644))
	return h
}

// configuration is that of Patroni, with the shortest times that it allows.
const configuration = `
scope: rollcall
name: NAME
restapi: {listen: "ADDRESS:8008", connect_address: "ADDRESS:8008"}
etcd3: {host: "NETWORK1:2379"}
bootstrap:
  dcs:
    ttl: 20
    loop_wait: 1
    retry_timeout: 3
    synchronous_mode: true
    postgresql: {use_pg_rewind: true, use_slots: true}
  initdb: [{encoding: UTF8}, {locale: C.UTF-8}, data-checksums]
postgresql:
  listen: "ADDRESS:5432"
  connect_address: "ADDRESS:5432"
  data_dir: HOME/data
  bin_dir: BIN
  pgpass: HOME/pgpass
  authentication:
    superuser: {username: postgres, password: none}
    replication: {username: replicator, password: none}
  parameters: {unix_socket_directories: HOME, shared_buffers: 64MB, max_connections: 100, jit: "off"}
  pg_hba:
    - local all all trust
    - host all all NETWORK0/24 trust
    - host replication all NETWORK0/24 trust
`

// start starts the host.
func (c *cluster) start(h *host) {
	c.t.Helper()
	cmd := exec.Command("ip", "netns", "exec", h.name, "unshare", "--pid", "--fork", "--kill-child", "--mount-proc",
		"setpriv", "--reuid", "postgres", "--regid", "postgres", "--clear-groups", "--pdeathsig", "KILL", "patroni",
		h.config)
	run, err := subprocess.Start(cmd)
	c.must(err)
	h.run = run
	c.t.Cleanup(func() {
		run.Kill()
		if c.t.Failed() {
			said := run.Stderr.String()
			c.t.Logf("%s said:\n%s", h.name, said[max(0, len(said)-8000):])
		}
	})
}

// url names all hosts, in this order.
func (c *cluster) url(database string) string {
	var addresses []string
	for _, h := range c.hosts {
		addresses = append(addresses, h.address)
	}
	return fmt.Sprintf("postgres://postgres@%s/%s?target_session_attrs=read-write&sslmode=disable",
		strings.Join(addresses, ","), database)
}

// member is a host as Patroni's API shows it.
type member struct {
	Name, Role, State string
	Timeline          int
}

// members asks any Patroni that answers.
func (c *cluster) members() []member {
	client := &http.Client{Timeout: 2 * time.Second}
	for _, h := range c.hosts {
		response, err := client.Get("http://" + h.address + ":8008/cluster")
		if err != nil {
			continue
		}
		var said struct{ Members []member }
		err = json.NewDecoder(response.Body).Decode(&said)
		response.Body.Close()
		if err == nil {
			return said.Members
		}
	}
	return nil
}

// waitHealthy waits until there are a leader and two that follow it, one of them
// synchronously. It returns the leader and the synchronous one.
func (c *cluster) waitHealthy() (leader, synchronous *host) {
	c.t.Helper()
	var all []member
	seen := map[*host]time.Time{}
	for end := time.Now().Add(5 * time.Minute); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		all = c.members()
		c.restartMissing(all, seen)
		roles := map[string]*host{}
		timelines := map[int]bool{}
		for _, m := range all {
			if m.State == "running" || m.State == "streaming" {
				roles[m.Role] = c.named(m.Name)
				timelines[m.Timeline] = true
			}
		}
		if len(roles) == 3 && len(timelines) == 1 && roles["leader"] != nil && roles["sync_standby"] != nil {
			return roles["leader"], roles["sync_standby"]
		}
	}
	c.t.Fatalf("the cluster is not healthy: %+v", all)
	return nil, nil
}

// restartMissing restarts a host that has been no member for a minute, as an
// operator would: on a busy machine Patroni sometimes stops in the middle of its
// start. seen has the time at which each host was last a member.
func (c *cluster) restartMissing(all []member, seen map[*host]time.Time) {
	for _, h := range c.hosts {
		there := slices.ContainsFunc(all, func(m member) bool { return m.Name == h.name })
		if there || seen[h].IsZero() {
			seen[h] = time.Now()
		}
		if time.Since(seen[h]) > time.Minute {
			c.t.Logf("%s has not joined the cluster for a minute, and is restarted", h.name)
			h.crash()
			c.start(h)
			seen[h] = time.Now()
		}
	}
}

func (c *cluster) named(name string) *host {
	return c.hosts[slices.IndexFunc(c.hosts[:], func(h *host) bool { return h.name == name })]
}

// crash ends all processes of a host at once.
func (h *host) crash() { h.run.Kill() }

// cut takes the network of a host away. Packets are dropped without an error.
func (c *cluster) cut(h *host) { c.ip("link set " + h.name + " down") }

func (c *cluster) mend(h *host) { c.ip("link set " + h.name + " up") }

// switchOver lets Patroni hand over from one host to another.
func (c *cluster) switchOver(from, to *host) {
	c.t.Helper()
	out, err := exec.Command("patronictl", "-c", from.config, "switchover", "--master", from.name, "--candidate",
		to.name, "--force", "rollcall").CombinedOutput()
	if err != nil {
		c.t.Fatalf("switch over: %v: %s", err, out)
	}
}

// signalPatroni signals the processes of Patroni on a host, and not its server.
func (c *cluster) signalPatroni(h *host, s syscall.Signal) {
	c.t.Helper()
	found := 0
	lines, err := filepath.Glob("/proc/[0-9]*/cmdline")
	c.must(err)
	for _, path := range lines {
		text, _ := os.ReadFile(path)
		if args := strings.Split(string(text), "\x00"); len(args) > 2 && strings.HasSuffix(args[1], "/patroni") &&
			args[2] == h.config {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			c.must(syscall.Kill(pid, s))
			found++
		}
	}
	if found == 0 {
		c.t.Fatalf("no Patroni runs on %s", h.name)
	}
}
