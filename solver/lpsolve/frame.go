package lpsolve

import (
	"bytes"
	"encoding/binary"
	"encoding/gob"
	"errors"
	"hash/crc32"
	"io"
)

// What a worker writes goes in frames, so that a stray print of the C library, or a
// worker that writes nonsense, is found out at its first bytes and not waited for:
//
//	magic, length of the rest, its CRC-32, gob of the value
//
// A frame is one write.
const (
	magic     = "PTLP"
	frameHead = len(magic) + 4 + 4
	// frameMost is far more than an answer: 2²⁶ bytes are eight million variables.
	frameMost = 1 << 26
)

var errNoise = errors.New("it wrote what is no answer")

func writeFrame(w io.Writer, v any) error {
	b := bytes.NewBuffer(make([]byte, frameHead))
	if err := gob.NewEncoder(b).Encode(v); err != nil {
		return err
	}
	frame := b.Bytes()
	body := frame[frameHead:]
	copy(frame, magic)
	binary.LittleEndian.PutUint32(frame[len(magic):], uint32(len(body)))
	binary.LittleEndian.PutUint32(frame[len(magic)+4:], crc32.ChecksumIEEE(body))
	_, err := w.Write(frame)
	return err
}

func readFrame(r io.Reader, v any) error {
	head := make([]byte, frameHead)
	if _, err := io.ReadFull(r, head); err != nil {
		return err
	}
	size := binary.LittleEndian.Uint32(head[len(magic):])
	if string(head[:len(magic)]) != magic || size > frameMost {
		return errNoise
	}
	body := make([]byte, size)
	if _, err := io.ReadFull(r, body); err != nil {
		return err
	}
	if crc32.ChecksumIEEE(body) != binary.LittleEndian.Uint32(head[len(magic)+4:]) {
		return errNoise
	}
	return gob.NewDecoder(bytes.NewReader(body)).Decode(v)
}
