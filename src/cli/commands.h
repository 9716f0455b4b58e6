// One function an object: reads the rest of the words, asks the daemon, prints. Each returns the exit code.
#pragma once

#include "cli/session.h"
#include "cli/words.h"

namespace vtep {

int run_link(Words& words, Session& session);
int run_fdb(Words& words, Session& session);
int run_vni(Words& words, Session& session);
int run_nexthop(Words& words, Session& session);
int run_mdb(Words& words, Session& session);
int run_neighbour(Words& words, Session& session);
int run_remote(Words& words, Session& session);
int run_source(Words& words, Session& session);
int run_drop(Words& words, Session& session);
int run_monitor(Words& words, Session& session);
int run_daemon(Words& words, Session& session);

/// Any of them: the object is the next word.
int run_command(Words& words, Session& session);

}  // namespace vtep
