package email

import (
	"context"
	"errors"
	"fmt"
	"io"

	"hearback/connectors"
	"hearback/desk"
	"hearback/normalizer/mail"
)

// readWhole is up to what size a mail is simply read.
const readWhole = 1 << 20

// decodeBig reads a mail that is kept as a blob. Its big files go from there into blobs of their own as a stream; only a mail built
// so strangely that they cannot be told from its text is read as a whole.
func decodeBig(ctx context.Context, e desk.Envelope, blobs connectors.Blobs) ([]desk.Inbound, error) {
	r, err := blobs.Open(ctx, e.RawBlob)
	if err != nil {
		return nil, fmt.Errorf("open mail: %w", err)
	}
	defer r.Close()
	size, err := r.Seek(0, io.SeekEnd)
	if err == nil {
		_, err = r.Seek(0, io.SeekStart)
	}
	if err != nil {
		return nil, fmt.Errorf("read mail: %w", err)
	}
	if size > readWhole {
		m, err := mail.ParseStream(r, mail.Limits{}, func(body io.Reader) (string, error) {
			blob, err := blobs.Put(ctx, body, 0)
			return blob.Key, err
		})
		if err == nil {
			return understood(e, m), nil
		}
		if !errors.Is(err, mail.ErrOpaque) {
			return nil, err
		}
		if _, err := r.Seek(0, io.SeekStart); err != nil {
			return nil, fmt.Errorf("read mail: %w", err)
		}
	}
	e.Raw = make([]byte, size)
	if _, err := io.ReadFull(r, e.Raw); err != nil {
		return nil, fmt.Errorf("read mail: %w", err)
	}
	return Decode(e)
}
