#!/bin/sh
# Fills the corpora with small valid files.
set -e
cd "$(dirname "$0")"
data=../tests/data
for target in safetensors torch npz idx table; do mkdir -p corpus/$target; done
number=0
copy() { # target, files
    target=$1
    shift
    for file in "$@"; do
        number=$((number + 1))
        cp "$file" "corpus/$target/seed-$number"
    done
}
copy safetensors $(find $data/checkpoints -name '*.safetensors')
copy torch $(find $data/checkpoints -name '*.pt' -o -name '*.pth' -o -name '*.bin')
copy npz $(find $data/checkpoints -name '*.npz' -o -name '*.npy') $data/numpy_written.npz
printf '\000\000\010\002\000\000\000\002\000\000\000\003abcdef' >corpus/idx/plain
printf '\000\000\015\001\000\000\000\002abcdefgh' >corpus/idx/floats
gzip -c corpus/idx/plain >corpus/idx/packed
printf 'x,y\n1,2\n3.5,-4e3\n' >corpus/table/plain
printf '# c\n"1";"2"\n3;4\n' >corpus/table/quoted
gzip -c corpus/table/plain >corpus/table/packed
