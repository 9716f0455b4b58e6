#include "io/pcap_file.h"

#include <cerrno>
#include <cstdio>
#include <utility>

#include "io/system_error.h"

namespace vtep {
namespace {

constexpr int kSnapLength = 262144;  // as tcpdump has it: more than any frame

}  // namespace

Result<std::shared_ptr<PcapFile>> PcapFile::create(const std::string& path, WallClock clock) {
  // Opened here: libpcap takes "-" for the standard output, and leaves files open across exec.
  std::FILE* file = std::fopen(path.c_str(), "wbe");
  if (file == nullptr) return std::unexpected(system_error("Cannot create \"" + path + "\"", errno));
  pcap_t* handle = ::pcap_open_dead(DLT_EN10MB, kSnapLength);
  pcap_dumper_t* dumper = handle == nullptr ? nullptr : ::pcap_dump_fopen(handle, file);
  if (dumper == nullptr) {
    const std::string reason = handle == nullptr ? "out of memory" : ::pcap_geterr(handle);
    if (handle != nullptr) ::pcap_close(handle);
    std::fclose(file);
    return fail(ErrorKind::kSystem, "Cannot write to \"" + path + "\": " + reason);
  }
  return std::shared_ptr<PcapFile>(new PcapFile(handle, dumper, std::move(clock)));
}

PcapFile::PcapFile(pcap_t* handle, pcap_dumper_t* dumper, WallClock clock)
    : handle_(handle), dumper_(dumper), clock_(std::move(clock)) {}

PcapFile::~PcapFile() {
  ::pcap_dump_close(dumper_);
  ::pcap_close(handle_);
}

void PcapFile::write(ByteView frame) {
  const auto now = std::chrono::duration_cast<std::chrono::microseconds>(clock_().time_since_epoch());
  pcap_pkthdr header{};
  header.ts.tv_sec = now.count() / 1000000;
  header.ts.tv_usec = now.count() % 1000000;
  header.caplen = static_cast<bpf_u_int32>(frame.size());
  header.len = header.caplen;
  ::pcap_dump(static_cast<u_char*>(static_cast<void*>(dumper_)), &header, frame.data());
}

Result<void> PcapFile::flush() {
  const bool flushed = ::pcap_dump_flush(dumper_) == 0;
  const int error = errno;
  if (!flushed) return std::unexpected(system_error("Cannot write the capture file", error));
  if (std::ferror(::pcap_dump_file(dumper_)) != 0) {
    return fail(ErrorKind::kSystem, "Cannot write the capture file: frames have been lost");
  }
  return {};
}

}  // namespace vtep
