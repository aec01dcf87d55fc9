package tencent

import "time"

// A right is one leave to write to a customer.
type right struct {
	until time.Time
	left  int
}

// rights of one customer: a new message renews the one, a tap the other; they do not add up within one kind.
type rights struct{ message, tap right }

func (a Allowance) from(now time.Time) right { return right{now.Add(a.For), a.Count} }

// spend takes one leave, the one that ends first; else it tells the errcodes' reason: out of time or out of count.
func (r *rights) spend(now time.Time) (late, used bool) {
	late = true
	for _, one := range []*right{&r.tap, &r.message} {
		if !now.Before(one.until) {
			continue
		}
		late = false
		if one.left > 0 {
			one.left--
			return false, false
		}
	}
	return late, !late
}

// best is until when and how often one may write now.
func (r *rights) best(now time.Time) (until time.Time, left int) {
	for _, one := range []right{r.tap, r.message} {
		if now.Before(one.until) && one.left > 0 {
			left += one.left
			if one.until.After(until) {
				until = one.until
			}
		}
	}
	if left == 0 {
		until = r.message.until
	}
	return until, left
}
