#include "daemon/source_report.h"

namespace vtep {

v1::Source report_source(const std::string& name, const SourceStatus& status, const Rib::SourceCounts& counts,
                         Time now) {
  const auto ago = [now](Time then) {
    return static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::seconds>(now - then).count());
  };
  v1::Source out;
  out.set_name(name);
  out.set_connected(status.is_connected);
  out.set_since(ago(status.since));
  out.set_state(status.state);
  out.set_facts(counts.facts);
  out.set_said(counts.said);
  out.set_withdrawn(counts.withdrawn);
  out.set_held(counts.doomed);
  out.set_refused(status.refused);
  if (counts.changed) out.set_changed(ago(*counts.changed));
  out.set_last_error(status.last_error);
  if (status.error_at) out.set_error_ago(ago(*status.error_at));
  for (const auto& [subject, reason] : status.refusals) {
    v1::Source::Refusal& refusal = *out.add_refusals();
    refusal.set_name(subject);
    refusal.set_reason(reason);
  }
  return out;
}

}  // namespace vtep
