package review

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"rollcall/internal/ownfile"
)

// namespace distinguishes signatures of packs from all other signatures.
const namespace = "rollcall-review"

// sign signs a text with an SSH key. If the key has a passphrase, ssh-keygen
// asks for it on the terminal.
func sign(ctx context.Context, key string, text []byte) ([]byte, error) {
	if _, err := os.Stat(key); err != nil {
		return nil, err
	}
	signature, err := keygen(ctx, text, "-Y", "sign", "-f", key, "-n", namespace)
	if err != nil {
		return nil, fmt.Errorf("sign with %s: %w", key, err)
	}
	return signature, nil
}

// Signature is the result of verifying a signature.
type Signature struct {
	// Signer is the principal of the list of signers; "" if there is no list.
	Signer string
	// Text describes the result in words.
	Text string
}

// errSignature reports a signature that is not valid.
var errSignature = errors.New("the signature is not good")

// verifySignature verifies a signature. Without a list of signers it only finds
// out which key has signed.
func verifySignature(ctx context.Context, text, signature []byte, allowed, signer string) (Signature, error) {
	f, err := ownfile.CreateTemp(filepath.Join(os.TempDir(), "rollcall-signature"))
	if err != nil {
		return Signature{}, err
	}
	defer os.Remove(f.Name())
	_, err = f.Write(signature)
	if err = errors.Join(err, f.Close()); err != nil {
		return Signature{}, err
	}
	if allowed == "" {
		out, err := keygen(ctx, text, "-Y", "check-novalidate", "-n", namespace, "-s", f.Name())
		if err != nil {
			return Signature{}, fmt.Errorf("%w: %w", errSignature, err)
		}
		return Signature{Text: keyOf(string(out))}, nil
	}
	if signer == "" {
		out, err := keygen(ctx, nil, "-Y", "find-principals", "-f", allowed, "-s", f.Name())
		if err != nil {
			return Signature{}, fmt.Errorf("%w: its key is not in %s", errSignature, allowed)
		}
		signer, _, _ = strings.Cut(strings.TrimSpace(string(out)), "\n")
	}
	out, err := keygen(ctx, text, "-Y", "verify", "-f", allowed, "-I", signer, "-n", namespace, "-s", f.Name())
	if err != nil {
		return Signature{}, fmt.Errorf("%w: %w", errSignature, err)
	}
	return Signature{signer, keyOf(string(out))}, nil
}

// keyOf returns the key from the message of ssh-keygen about a valid signature.
func keyOf(text string) string {
	if i := strings.LastIndex(text, "with "); i >= 0 {
		return strings.TrimSpace(text[i+len("with "):])
	}
	return strings.TrimSpace(text)
}

// keygen runs ssh-keygen and returns its output.
func keygen(ctx context.Context, in []byte, args ...string) ([]byte, error) {
	var out, complaints bytes.Buffer
	c := exec.CommandContext(ctx, "ssh-keygen", args...)
	c.Stdin, c.Stdout, c.Stderr = bytes.NewReader(in), &out, &complaints
	err := c.Run()
	switch {
	case errors.Is(err, exec.ErrNotFound):
		return nil, errors.New("ssh-keygen is not installed: it comes with OpenSSH 8.2 or later")
	case err != nil:
		lines := strings.Split(strings.TrimSpace(complaints.String()+out.String()), "\n")
		return nil, fmt.Errorf("ssh-keygen: %s", lines[0])
	}
	return out.Bytes(), nil
}
