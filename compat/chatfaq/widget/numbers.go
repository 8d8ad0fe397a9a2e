package widget

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"time"
)

// numbers turns positions in the log into the numbers by which the protocol names conversations, messages and feedback. Whoever knows a
// number may read what it names, so numbers must not be guessed: they are a permutation of 52 bits under a key of ours, and fit what browsers can count.
type numbers struct{ key []byte }

const (
	halfBits = 26
	halfMask = 1<<halfBits - 1
	numbered = int64(1) << (2 * halfBits) // set in every such number, so that none is taken for a position
	rounds   = 6
)

func newNumbers(s Signer) numbers {
	sum := sha256.Sum256([]byte(s.Sign("chatfaq/numbers", "", time.Unix(0, 0))))
	return numbers{key: sum[:]}
}

func (n numbers) of(pos int64) int64 {
	left, right := uint32(pos>>halfBits)&halfMask, uint32(pos)&halfMask
	for i := range rounds {
		left, right = right, left^n.round(i, right)
	}
	return numbered | int64(left)<<halfBits | int64(right)
}

// position is the way back; false: it is no such number.
func (n numbers) position(number int64) (int64, bool) {
	if number&^(numbered-1) != numbered {
		return 0, false
	}
	left, right := uint32(number>>halfBits)&halfMask, uint32(number)&halfMask
	for i := rounds - 1; i >= 0; i-- {
		left, right = right^n.round(i, left), left
	}
	return int64(left)<<halfBits | int64(right), true
}

func (n numbers) round(i int, half uint32) uint32 {
	h := hmac.New(sha256.New, n.key)
	h.Write(binary.BigEndian.AppendUint32([]byte{byte(i)}, half))
	return binary.BigEndian.Uint32(h.Sum(nil)) & halfMask
}
