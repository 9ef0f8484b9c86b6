package nodes

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/jackc/pgx/v5"

	"rollcall/internal/e2e/e2etest"
)

var linearRounds = flag.Int("linear-rounds", 4, "rounds of TestLinearizable on each store")

// TestLinearizable has clients of two nodes create, change, use and delete the
// same few users, while nodes are killed and paused, connections of the database
// end, and clients leave. It then looks for an order of the calls in which each
// answer is right: every call takes effect at one moment between its beginning
// and its answer, on both nodes.
func TestLinearizable(t *testing.T) {
	e2etest.EachStore(t, func(t *testing.T, flags []string) {
		h := &history{account: e2etest.CreateAccount(t, flags...), client: e2etest.Transport(t), flags: flags}
		for i := range h.nodes {
			h.nodes[i].Store(e2etest.Serve(t, flags...))
		}
		for round := range *linearRounds {
			h.round(t, round)
		}
		t.Logf("%d calls, the outcome of %d of them unknown", h.calls, h.unknown)
	})
}

// history records the calls of a round.
type history struct {
	account e2etest.Account
	client  *http.Client
	flags   []string
	nodes   [2]atomic.Pointer[e2etest.Process]

	mu         sync.Mutex
	began      time.Time
	operations []porcupine.Operation
	keys       map[string][]e2etest.Key // by user
	calls      int
	unknown    int
}

const (
	linearUsers   = 2
	linearClients = 8
)

// round runs the clients beside one fault, and checks their history.
func (h *history) round(t *testing.T, round int) {
	t.Helper()
	h.began, h.operations, h.keys = time.Now(), nil, map[string][]e2etest.Key{}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var clients sync.WaitGroup
	for c := range linearClients {
		clients.Go(func() {
			random := rand.New(rand.NewPCG(uint64(round), uint64(c)))
			for ctx.Err() == nil {
				user := fmt.Sprintf("user-%d-%d", round, random.IntN(linearUsers))
				h.call(t, h.request(random, user), c, random)
			}
		})
	}
	h.disturb(t, round)
	cancel()
	clients.Wait()
	verdict, info := porcupine.CheckOperationsVerbose(model, h.operations, time.Minute)
	if verdict != porcupine.Ok {
		picture := filepath.Join(t.ArtifactDir(), fmt.Sprintf("history-%d.html", round))
		f, err := os.Create(picture)
		if err == nil {
			err = porcupine.Visualize(model, info, f)
			_ = f.Close()
		}
		t.Fatalf("round %d: the history is %s: %s (%v)", round, verdict, picture, err)
	}
}

// disturb lets the round run, with a fault in its middle.
func (h *history) disturb(t *testing.T, round int) {
	t.Helper()
	time.Sleep(200*time.Millisecond + rand.N(100*time.Millisecond))
	node := &h.nodes[round/4%2]
	switch round % 4 {
	case 0:
		node.Load().Kill()
		node.Store(e2etest.Serve(t, h.flags...))
	case 1:
		node.Load().Signal(syscall.SIGSTOP)
		time.Sleep(300 * time.Millisecond)
		node.Load().Signal(syscall.SIGCONT)
	case 2:
		h.endSessions(t)
	}
	time.Sleep(200 * time.Millisecond)
}

// endSessions ends every session of PostgreSQL.
func (h *history) endSessions(t *testing.T) {
	t.Helper()
	if len(h.flags) == 2 { // SQLite has none
		return
	}
	c, err := pgx.Connect(t.Context(), h.flags[3])
	e2etest.Must(t, err)
	defer func() { _ = c.Close(t.Context()) }()
	_, err = c.Exec(t.Context(), "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "+
		"WHERE datname = current_database() AND pid <> pg_backend_pid()")
	e2etest.Must(t, err)
}

// request draws a request about a user.
func (h *history) request(random *rand.Rand, user string) request {
	r := request{user: user}
	h.mu.Lock()
	keys := h.keys[user]
	h.mu.Unlock()
	if len(keys) > 0 && random.IntN(2) == 0 {
		r.key = keys[max(0, len(keys)-1-random.IntN(3))].ID
		r.action = []action{signWith, signWith, signWith, actWith, actWith, activate, deactivate, deleteKey}[random.IntN(8)]
		return r
	}
	r.action = []action{createUser, createUser, createKey, createKey, putPolicy, deletePolicy, getUser,
		deleteUser}[random.IntN(8)]
	return r
}

// call makes a call to one of the nodes and records it. One client in fifty
// leaves before the answer.
func (h *history) call(t *testing.T, r request, client int, random *rand.Rand) {
	url := h.nodes[client%2].Load().URL
	patience := 3 * time.Second
	if random.IntN(50) == 0 {
		patience = time.Duration(random.IntN(3000)) * time.Microsecond
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	begin := time.Since(h.began)
	created, err := h.send(ctx, url, r)
	end := time.Since(h.began)
	if errors.Is(err, syscall.ECONNREFUSED) { // the node is down, and nothing was sent
		time.Sleep(time.Millisecond)
		return
	}
	a := answer{code: e2etest.CodeOf(err), key: created.ID}
	a.unknown = !known[a.code]
	h.mu.Lock()
	defer h.mu.Unlock()
	h.calls++
	if a.unknown {
		h.unknown++
		end = math.MaxInt64
		if r.action == getUser || r.action == signWith || r.action == actWith {
			return // it says nothing
		}
	}
	if created.ID != "" {
		h.keys[r.user] = append(h.keys[r.user], created)
	}
	h.operations = append(h.operations, porcupine.Operation{ClientId: client, Input: r, Call: int64(begin),
		Output: a, Return: int64(end)})
}

const anything = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`

// send makes a call. It returns the key that the call created.
func (h *history) send(ctx context.Context, url string, r request) (created e2etest.Key, err error) {
	root := iam.NewFromConfig(e2etest.Config(url, h.account.Root(), h.client))
	name := "allowed"
	switch r.action {
	case createUser:
		_, err = root.CreateUser(ctx, &iam.CreateUserInput{UserName: &r.user})
	case deleteUser:
		_, err = root.DeleteUser(ctx, &iam.DeleteUserInput{UserName: &r.user})
	case getUser:
		_, err = root.GetUser(ctx, &iam.GetUserInput{UserName: &r.user})
	case createKey:
		var out *iam.CreateAccessKeyOutput
		if out, err = root.CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: &r.user}); err == nil {
			created = e2etest.Key{ID: *out.AccessKey.AccessKeyId, Secret: *out.AccessKey.SecretAccessKey}
		}
	case deleteKey:
		_, err = root.DeleteAccessKey(ctx, &iam.DeleteAccessKeyInput{UserName: &r.user, AccessKeyId: &r.key})
	case activate, deactivate:
		status := types.StatusTypeActive
		if r.action == deactivate {
			status = types.StatusTypeInactive
		}
		_, err = root.UpdateAccessKey(ctx, &iam.UpdateAccessKeyInput{UserName: &r.user, AccessKeyId: &r.key,
			Status: status})
	case putPolicy:
		document := anything
		_, err = root.PutUserPolicy(ctx, &iam.PutUserPolicyInput{UserName: &r.user, PolicyName: &name,
			PolicyDocument: &document})
	case deletePolicy:
		_, err = root.DeleteUserPolicy(ctx, &iam.DeleteUserPolicyInput{UserName: &r.user, PolicyName: &name})
	case signWith:
		err = e2etest.Signs(ctx, url, h.secret(r), h.client)
	case actWith:
		own := iam.NewFromConfig(e2etest.Config(url, h.secret(r), h.client))
		_, err = own.GetUser(ctx, &iam.GetUserInput{UserName: &r.user})
	}
	return created, err
}

// secret returns the key of a request with its secret.
func (h *history) secret(r request) e2etest.Key {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, k := range h.keys[r.user] {
		if k.ID == r.key {
			return k
		}
	}
	return e2etest.Key{ID: r.key, Secret: "unknown"}
}
