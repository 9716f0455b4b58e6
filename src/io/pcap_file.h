// A capture file of Ethernet frames, for tcpdump and Wireshark. Over libpcap.
//
// Thread safety: belongs to one thread.
#pragma once

#include <pcap/pcap.h>

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/result.h"

namespace vtep {

class PcapFile {
 public:
  /// What stamps the frames; tests give their own.
  using WallClock = std::function<std::chrono::system_clock::time_point()>;

  /// Creates or empties the file.
  static Result<std::shared_ptr<PcapFile>> create(const std::string& path,
                                                  WallClock clock = std::chrono::system_clock::now);
  ~PcapFile();
  PcapFile(const PcapFile&) = delete;
  PcapFile& operator=(const PcapFile&) = delete;

  /// Buffered. A disk that is full shows in flush().
  void write(ByteView frame);
  /// kSystem if anything since create() could not be written.
  Result<void> flush();

 private:
  PcapFile(pcap_t* handle, pcap_dumper_t* dumper, WallClock clock);

  pcap_t* const handle_;
  pcap_dumper_t* const dumper_;
  const WallClock clock_;
};

}  // namespace vtep
