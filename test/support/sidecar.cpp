#include "test/support/sidecar.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "test/support/environment.hpp"
#include "test/support/waiting.hpp"

namespace support {
namespace {

std::string content(int file) {
    std::string text;
    char buffer[4096];
    for (ssize_t size = 0; (size = pread(file, buffer, sizeof buffer, static_cast<off_t>(text.size()))) > 0;)
        text.append(buffer, static_cast<std::size_t>(size));
    return text;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
    std::vector<char*> all;
    for (auto& text : texts) all.push_back(text.data());
    all.push_back(nullptr);
    return all;
}

}  // namespace

variables settings_for(const table& on) {
    return {{"OUTBOX_DATABASE_URL", mysql_url()},
            {"OUTBOX_DATABASE_TABLE", on.name()},
            {"OUTBOX_BROKER_URLS", amqp_url()},
            {"OUTBOX_LOG_FORMAT", "json"}};
}

folder::folder() {
    std::string name = std::filesystem::temp_directory_path() / "outbox-test-XXXXXX";
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("can't make a folder");
    path_ = name;
}

folder::~folder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

std::string folder::write(const std::string& name, const std::string& text) const {
    std::ofstream(file(name)) << text;
    return file(name);
}

sidecar_process::sidecar_process(const std::vector<std::string>& arguments, const variables& env, const std::string& in)
    : out_(memfd_create("out", MFD_CLOEXEC)), err_(memfd_create("err", MFD_CLOEXEC)) {
    std::vector<std::string> words = {OUTBOX_SIDECAR_BINARY};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<std::string> settings;
    for (const auto& [name, value] : env) settings.push_back(name + "=" + value);
    const auto argv = pointers(words), envp = pointers(settings);
    const std::string& where = in.empty() ? empty_.path() : in;

    pid_ = fork();
    if (pid_ < 0) throw std::runtime_error("can't fork");
    if (pid_ > 0) return;
    std::signal(SIGPIPE, SIG_DFL);  // or it would inherit what main() of the tests ignores
    const int nothing = open("/dev/null", O_RDONLY);
    const bool ready = dup2(nothing, 0) == 0 && dup2(out_, 1) == 1 && dup2(err_, 2) == 2 && chdir(where.c_str()) == 0;
    if (ready) execve(argv[0], argv.data(), envp.data());
    _exit(127);
}

sidecar_process::~sidecar_process() {
    if (!over_) {
        kill(pid_, SIGKILL);
        waitpid(pid_, nullptr, 0);
    }
    close(out_);
    close(err_);
}

void sidecar_process::signal(int number) const {
    if (!over_) kill(pid_, number);
}

bool sidecar_process::says(const std::string& text) {
    const auto said = [&] { return err().find(text) != std::string::npos; };
    eventually([&] { return said() || ended(); });
    return said();
}

int sidecar_process::wait() {
    if (!eventually([&] { return ended(); })) throw std::runtime_error("the sidecar does not end; it said:\n" + err());
    return WIFEXITED(status_) ? WEXITSTATUS(status_) : -1;
}

bool sidecar_process::ended() {
    if (!over_) over_ = waitpid(pid_, &status_, WNOHANG) == pid_;
    return over_;
}

std::string sidecar_process::out() const { return content(out_); }
std::string sidecar_process::err() const { return content(err_); }

result run_sidecar(const std::vector<std::string>& arguments, const variables& env, const std::string& in) {
    sidecar_process process(arguments, env, in);
    const int code = process.wait();
    return {code, process.out(), process.err()};
}

}  // namespace support
