package fleet

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// closedEarly is a request's body as the SDK handles it. The SDK closes it when
// the answer begins. After that, its WriteTo returns io.EOF at the end.
type closedEarly struct {
	io.Reader
	closed chan struct{}
	once   sync.Once
}

func (b *closedEarly) Close() error {
	b.once.Do(func() { close(b.closed) })
	return nil
}

func (b *closedEarly) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if n == 0 && err == io.EOF {
		<-b.closed
	}
	return n, err
}

func (b *closedEarly) WriteTo(io.Writer) (int64, error) {
	<-b.closed
	return 0, io.EOF
}

func TestHTTPClientBearsAnAnswerAtOnce(t *testing.T) {
	answer := strings.Repeat("x", 4<<20)
	begun := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.ReadAll(r.Body)
		io.WriteString(w, answer[:1<<20])
		w.(http.Flusher).Flush()
		<-begun
		io.WriteString(w, answer[1<<20:])
	}))
	defer server.Close()
	for range 20 {
		body := &closedEarly{Reader: strings.NewReader("Action=X"), closed: make(chan struct{})}
		request, err := http.NewRequest("POST", server.URL, body)
		if err != nil {
			t.Fatal(err)
		}
		request.ContentLength = int64(len("Action=X"))
		response, err := HTTPClient(nil).Do(request)
		if err != nil {
			t.Fatal(err)
		}
		body.Close() // as smithy does
		go func() { begun <- struct{}{} }()
		got, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil || string(got) != answer {
			t.Fatalf("read %d of %d bytes: %v", len(got), len(answer), err)
		}
	}
}

func TestHTTPClientLeavesOthersAlone(t *testing.T) {
	mine := &http.Client{}
	if got := HTTPClient(mine); got != aws.HTTPClient(mine) {
		t.Error("changed")
	}
}
