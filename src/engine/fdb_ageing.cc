// What the FDB forgets, and when. See fdb.h.
#include <algorithm>
#include <limits>

#include "engine/fdb.h"

namespace vtep {

void Fdb::set_ageing(LinkId link, std::uint32_t seconds) {
  links_of(link).ageing = seconds;
  // The old bound may be too late now, and so may what a scan under way has seen.
  if (dynamic_ != 0) next_scan_ = 0;
  if (scan_at_) scan_at_ = 0;
}

std::optional<Seconds> Fdb::expiry_of(const Entry& entry) const {
  const std::uint32_t ageing = ageing_of(entry.link);
  if (!entry.is_dynamic() || ageing == 0) return std::nullopt;
  // Beyond the end of the scale is never: a sum that wrapped would be in the past.
  if (ageing > std::numeric_limits<Seconds>::max() - entry.updated) return std::nullopt;
  return entry.updated + ageing;
}

void Fdb::note_expiry(const Entry& entry) {
  const auto expiry = expiry_of(entry);
  if (!expiry) return;
  next_scan_ = std::min(next_scan_.value_or(*expiry), *expiry);
  if (scan_at_) scan_next_expiry_ = std::min(scan_next_expiry_.value_or(*expiry), *expiry);
}

void Fdb::age(Seconds now, std::size_t budget) {
  if (!scan_at_) {
    if (!next_scan_ || now < *next_scan_) return;
    scan_at_ = 0;
    scan_next_expiry_.reset();
  }
  std::size_t i = *scan_at_;
  for (; budget > 0 && i <= table().mask; --budget) {
    const auto expiry = expiry_of(at(i));
    if (expiry && *expiry <= now) {
      remove_slot(i, FdbEvent::Kind::kAged);  // something else may have shifted into slot i: look again
      continue;
    }
    if (expiry) scan_next_expiry_ = std::min(scan_next_expiry_.value_or(*expiry), *expiry);
    ++i;
  }
  if (i <= table().mask) {
    scan_at_ = i;
    return;
  }
  scan_at_.reset();
  next_scan_ = scan_next_expiry_;
}

std::optional<Seconds> Fdb::next_deadline() const {
  return scan_at_ ? std::optional<Seconds>(0) : next_scan_;
}

}  // namespace vtep
