// Makes libstdcxx_topk.tsv: which of many equal keys libstdc++ puts first among the k lowest.
//   g++ -O2 -o topk libstdcxx_topk.cpp && ./topk > libstdcxx_topk.tsv
// Each line: seed, n, number of distinct keys, pattern, k, FNV-1a over the k indices.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <utility>
#include <vector>

using Entry = std::pair<float, int64_t>;

static std::vector<float> make_keys(uint64_t seed, size_t n, uint64_t distinct, int pattern) {
    uint64_t state = (seed * 0x9e3779b97f4a7c15ULL) | 1;
    std::vector<float> keys(n);
    for (auto &key : keys) {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        key = static_cast<float>((state >> 11) % distinct);
    }
    if (pattern == 1) std::sort(keys.begin(), keys.end());
    if (pattern == 2) std::sort(keys.begin(), keys.end(), [](float a, float b) { return a > b; });
    if (pattern == 3) {
        size_t half = n / 2;
        for (size_t i = 1; i <= half; ++i) {
            keys[i - 1] = i % 2 == 1 ? static_cast<float>(i) : static_cast<float>(half + i - 1);
            keys[half + i - 1] = static_cast<float>(2 * i);
        }
    }
    return keys;
}

int main() {
    const size_t sizes[] = {1, 2, 3, 4, 5, 15, 16, 17, 18, 40, 63, 64, 65, 200, 1000, 4099};
    auto less = [](const Entry &a, const Entry &b) { return a.first < b.first; };
    uint64_t seed = 0;
    for (size_t n : sizes)
        for (uint64_t distinct : {1ull, 2ull, 7ull, 1000003ull})
            for (int pattern : {0, 1, 2, 3})
                for (size_t k : {size_t{1}, n / 64, n / 64 + 1, n / 3, n / 2, n - n / 8, n}) {
                    if (k == 0 || k > n) continue;
                    ++seed;
                    auto keys = make_keys(seed, n, distinct, pattern);
                    std::vector<Entry> queue(n);
                    for (size_t i = 0; i < n; ++i) queue[i] = {keys[i], static_cast<int64_t>(i)};
                    if (k * 64 <= n) {
                        std::partial_sort(queue.begin(), queue.begin() + k, queue.end(), less);
                    } else {
                        std::nth_element(queue.begin(), queue.begin() + k - 1, queue.end(), less);
                        std::sort(queue.begin(), queue.begin() + k - 1, less);
                    }
                    uint64_t hash = 0xcbf29ce484222325ULL;
                    for (size_t i = 0; i < k; ++i)
                        hash = (hash ^ static_cast<uint64_t>(queue[i].second)) * 0x100000001b3ULL;
                    std::printf("%llu\t%zu\t%llu\t%d\t%zu\t%llu\n", (unsigned long long)seed, n,
                                (unsigned long long)distinct, pattern, k, (unsigned long long)hash);
                }
}
