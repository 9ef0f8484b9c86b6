package clients

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/xml"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"rollcall/internal/e2e/e2etest"
)

// TestDotNet sends the same requests as the AWS SDK for .NET, which AWS Tools
// for PowerShell uses: its headers in its order, the payload's hash in a signed
// header, parameters sorted and escaped in its way, all on one connection.
// (PowerShell itself is in no Debian package.)
func TestDotNet(t *testing.T) {
	t.Parallel()
	node, acc := e2etest.Dev(t)
	d := dialDotNet(t, node.URL, acc.Root())

	// Request-IAMCredentialReport; Get-IAMCredentialReport, once the report
	// exists.
	status, body := d.call("us-east-1", "Action=GenerateCredentialReport&Version=2010-05-08")
	if status != http.StatusOK || !strings.Contains(body, "<State>STARTED</State>") {
		t.Fatalf("Request-IAMCredentialReport: %d %s", status, body)
	}
	for end := time.Now().Add(time.Minute); ; time.Sleep(5 * time.Millisecond) {
		status, body = d.call("us-east-1", "Action=GetCredentialReport&Version=2010-05-08")
		if status == http.StatusOK || time.Now().After(end) {
			break
		}
	}
	var answer struct {
		Content       string `xml:"GetCredentialReportResult>Content"`
		ReportFormat  string `xml:"GetCredentialReportResult>ReportFormat"`
		GeneratedTime string `xml:"GetCredentialReportResult>GeneratedTime"`
	}
	if err := xml.Unmarshal([]byte(body), &answer); err != nil || status != http.StatusOK {
		t.Fatalf("Get-IAMCredentialReport: %d %v %s", status, err, body)
	}
	// The SDK expects the content as one run of base64, and the time in one
	// exact pattern; -SplitLines calls ReadLine until the end.
	content, err := base64.StdEncoding.Strict().DecodeString(answer.Content)
	if err != nil {
		t.Errorf("content: %v", err)
	}
	if _, err := time.Parse("2006-01-02T15:04:05Z", answer.GeneratedTime); err != nil ||
		answer.ReportFormat != "text/csv" {
		t.Errorf("time %q, format %q: %v", answer.GeneratedTime, answer.ReportFormat, err)
	}
	var lines []string
	for scan := bufio.NewScanner(bytes.NewReader(content)); scan.Scan(); {
		lines = append(lines, scan.Text())
	}
	if len(lines) != 2 || !strings.HasPrefix(lines[0], "user,arn,user_creation_time,") ||
		!strings.HasPrefix(lines[1], "<root_account>,") {
		t.Errorf("-SplitLines gives %q", lines)
	}

	// New-IAMUser, with a name that every client escapes differently.
	status, body = d.call("eu-central-1",
		"Action=CreateUser&Path=%2Fa%2Fb%2F&UserName=a%2Bb%40c%2Cd%3D.-_&Version=2010-05-08")
	if status != http.StatusOK || !strings.Contains(body, "<UserName>a+b@c,d=.-_</UserName>") {
		t.Errorf("New-IAMUser: %d %s", status, body)
	}
	// Get-IAMUserList | Get-IAMAccessKey
	status, body = d.call("eu-central-1", "Action=ListAccessKeys&UserName=a%2Bb%40c%2Cd%3D.-_&Version=2010-05-08")
	if status != http.StatusOK || !strings.Contains(body, "<AccessKeyMetadata/>") {
		t.Errorf("Get-IAMAccessKey: %d %s", status, body)
	}
	// An error keeps the connection, and its text reaches the cmdlet.
	status, body = d.call("us-east-1", "Action=GetUser&UserName=nobody&Version=2010-05-08")
	if status != http.StatusNotFound ||
		!strings.Contains(body, "<Message>The user with name nobody cannot be found.</Message>") {
		t.Errorf("Get-IAMUser: %d %s", status, body)
	}
	// If no region is known the SDK signs an empty one.
	status, body = d.call("", "Action=ListUsers&Version=2010-05-08")
	if status == http.StatusOK || !strings.Contains(body, "region") {
		t.Errorf("without a region: %d %s, want a word about the region", status, body)
	}
	if d.connections != 1 {
		t.Errorf("%d connections, want one that is kept", d.connections)
	}
}

// dotNet is a client that writes its requests itself.
type dotNet struct {
	t           *testing.T
	host        string
	key         e2etest.Key
	c           net.Conn
	r           *bufio.Reader
	connections int
}

func dialDotNet(t *testing.T, at string, k e2etest.Key) *dotNet {
	t.Helper()
	u, err := url.Parse(at)
	if err != nil {
		t.Fatal(err)
	}
	return &dotNet{t: t, host: u.Host, key: k}
}

// dotNetUserAgent is signed by the SDK too.
const dotNetUserAgent = "aws-sdk-dotnet-coreclr/4.0.5.1 ua/2.1 os/linux#6.1 md/ARCH#X64 lang/.NET_Core#9.0.6 " +
	"md/aws-sdk-dotnet-core#4.0.0.24 api/IAM#4.0.5.1 exec-env/AWS-PowerShell AWSPowerShell.Common/5.0.37 " +
	"md/ClientAsync cfg/init-coll#1 cfg/retry-mode#legacy"

// call sends one call and reads the answer.
func (d *dotNet) call(region, body string) (status int, answer string) {
	d.t.Helper()
	if d.c == nil {
		var err error
		if d.c, err = net.Dial("tcp", d.host); err != nil {
			d.t.Fatal(err)
		}
		d.t.Cleanup(func() { d.c.Close() })
		d.c.SetDeadline(time.Now().Add(60 * time.Second))
		d.r = bufio.NewReader(d.c)
		d.connections++
	}
	at := time.Now().UTC().Format("20060102T150405Z")
	hash := hexHash([]byte(body))
	signed := map[string]string{
		"content-type": "application/x-www-form-urlencoded; charset=utf-8", "host": d.host,
		"user-agent": dotNetUserAgent, "x-amz-content-sha256": hash, "x-amz-date": at,
	}
	request := "POST / HTTP/1.1\r\n" +
		"Host: " + d.host + "\r\n" +
		"Accept: */*\r\n" +
		"amz-sdk-invocation-id: 4b2f4a3e-8f64-4ee7-b9a0-0cf2f7f7f0f5\r\n" +
		"amz-sdk-request: attempt=1; max=5\r\n" +
		"User-Agent: " + dotNetUserAgent + "\r\n" +
		"X-Amz-Date: " + at + "\r\n" +
		"X-Amz-Content-SHA256: " + hash + "\r\n" +
		"Authorization: " + d.authorization(signed, region, at, hash) + "\r\n" +
		"Content-Type: " + signed["content-type"] + "\r\n" +
		fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body)
	if _, err := io.WriteString(d.c, request); err != nil {
		d.t.Fatal(err)
	}
	response, err := http.ReadResponse(d.r, &http.Request{Method: http.MethodPost})
	if err != nil {
		d.t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	if response.Close {
		d.c = nil
	}
	return response.StatusCode, string(text)
}

// authorization signs as the SDK does, all headers by their sorted names.
func (d *dotNet) authorization(signed map[string]string, region, at, hash string) string {
	names := []string{}
	for name := range signed {
		names = append(names, name)
	}
	slices.Sort(names)
	canonical := "POST\n/\n\n"
	for _, name := range names {
		canonical += name + ":" + signed[name] + "\n"
	}
	canonical += "\n" + strings.Join(names, ";") + "\n" + hash
	scope := at[:8] + "/" + region + "/iam/aws4_request"
	secret := []byte("AWS4" + d.key.Secret)
	for part := range strings.SplitSeq(scope, "/") {
		secret = mac(secret, part)
	}
	signature := hex.EncodeToString(mac(secret, "AWS4-HMAC-SHA256\n"+at+"\n"+scope+"\n"+hexHash([]byte(canonical))))
	return "AWS4-HMAC-SHA256 Credential=" + d.key.ID + "/" + scope + ", SignedHeaders=" + strings.Join(names, ";") +
		", Signature=" + signature
}

func mac(key []byte, text string) []byte {
	h := hmac.New(sha256.New, key)
	io.WriteString(h, text)
	return h.Sum(nil)
}

func hexHash(b []byte) string {
	sum := sha256.Sum256(b)
	return hex.EncodeToString(sum[:])
}
