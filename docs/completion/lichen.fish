# SPDX-License-Identifier: Apache-2.0
# fish completion for lichen(1)

function __lichen_gaps
    set -l before (string match -r '.*,' -- (commandline -ct | string replace -r '^--[a-z]+=' ''))
    set -q before[1]; or set before ''
    for gap in all sysvipc sysctl devices newcalls fstype identity mounts overlay namespaces cgroup netfilter vnet keyring seccomp xattr
        echo $before$gap
    end
end

function __lichen_images
    lichen images 2>/dev/null | awk 'NR > 1 { print $1 ":" $2 }'
end

function __lichen_cells
    lichen ps -a --json 2>/dev/null | string replace -rf '^ *"name": "([^"]*)".*' '$1'
end

complete -c lichen -f
complete -c lichen -n __fish_use_subcommand -a run -d 'Run a command, filling what the kernel lacks'
complete -c lichen -n __fish_use_subcommand -a doctor -d 'Tell what this host refuses'
complete -c lichen -n __fish_use_subcommand -a why -d 'Run a command and say which refusals mattered'
complete -c lichen -n __fish_use_subcommand -a image -d 'Make an image of a root file system'
complete -c lichen -n __fish_use_subcommand -a images -d 'List images'
complete -c lichen -n __fish_use_subcommand -a pull -d 'Download an image'
complete -c lichen -n __fish_use_subcommand -a load -d 'Take images out of an archive'
complete -c lichen -n __fish_use_subcommand -a save -d 'Write images to an archive'
complete -c lichen -n __fish_use_subcommand -a tag -d 'Give an image another name'
complete -c lichen -n __fish_use_subcommand -a rmi -d 'Remove images'
complete -c lichen -n __fish_use_subcommand -a exec -d 'Run a further command in a cell'
complete -c lichen -n __fish_use_subcommand -a top -d 'List the processes of a cell'
complete -c lichen -n __fish_use_subcommand -a ps -d 'Lists cells'
complete -c lichen -n __fish_use_subcommand -a logs -d 'Prints what a cell in the background has written'
complete -c lichen -n __fish_use_subcommand -a stop -d 'Ends cells'
complete -c lichen -n __fish_use_subcommand -a kill -d 'Sends a signal to the commands of cells'
complete -c lichen -n __fish_use_subcommand -a wait -d 'Waits for the end of cells'
complete -c lichen -n __fish_use_subcommand -a rm -d 'Removes cells'
complete -c lichen -n __fish_use_subcommand -a inspect -d 'Prints all that is known of cells'
complete -c lichen -n __fish_use_subcommand -a diff -d 'Lists what a cell has changed in its file tree'
complete -c lichen -n __fish_use_subcommand -a commit -d 'Makes an image of what a cell has changed'
complete -c lichen -n __fish_use_subcommand -a help -d 'Tell about a command'
complete -c lichen -n __fish_use_subcommand -l version -d 'Print the version'
complete -c lichen -s h -l help -d 'Print help'
complete -c lichen -n '__fish_seen_subcommand_from help' -a 'run doctor why image images load save tag rmi pull exec top ps logs stop kill wait rm inspect diff commit'

complete -c lichen -n '__fish_seen_subcommand_from doctor' -l for -r -F -a 'docker containerd kubernetes postgres flow (__fish_complete_command)' -d 'Ask about one workload'
complete -c lichen -n '__fish_seen_subcommand_from doctor' -l kernel-config -r -F -d 'Ask about a kernel'
complete -c lichen -n '__fish_seen_subcommand_from doctor' -l html -r -F -d 'Also write a page'
complete -c lichen -n '__fish_seen_subcommand_from doctor' -l json -d 'Print JSON'

complete -c lichen -n '__fish_seen_subcommand_from run' -l emulate -x -a '(__lichen_gaps)' -d 'Fill these gaps'
complete -c lichen -n '__fish_seen_subcommand_from run' -l native -x -a '(__lichen_gaps)' -d 'Never fill these gaps'
complete -c lichen -n '__fish_seen_subcommand_from run' -l refuse -x -a '(__lichen_gaps)' -d 'Let the kernel refuse these'
complete -c lichen -n '__fish_seen_subcommand_from run' -l explain -d 'Print the plan'
complete -c lichen -n '__fish_seen_subcommand_from run' -l json -d 'Let --explain print JSON'
complete -c lichen -n '__fish_seen_subcommand_from run' -s e -l env -x -d 'Set a variable'
complete -c lichen -n '__fish_seen_subcommand_from run' -s w -l workdir -x -a '(__fish_complete_directories)' -d 'Run in this directory'
complete -c lichen -n '__fish_seen_subcommand_from run' -l rootfs -x -a '(__fish_complete_directories)' -d 'Directory to be the root'
complete -c lichen -n '__fish_seen_subcommand_from run' -l upper -x -a '(__fish_complete_directories)' -d 'Directory for what is changed'
complete -c lichen -n '__fish_seen_subcommand_from run' -l ephemeral -d 'Forget what is changed'
complete -c lichen -n '__fish_seen_subcommand_from run' -s v -l volume -x -d 'HOST:GUEST[:ro] to show in the tree'
complete -c lichen -n '__fish_seen_subcommand_from run' -l env-file -r -F -d 'Set the variables that a file lists'
complete -c lichen -n '__fish_seen_subcommand_from run' -l hostname -x -d 'What its machine is called'
complete -c lichen -n '__fish_seen_subcommand_from run' -l name -x -d 'Call the cell so'
complete -c lichen -n '__fish_seen_subcommand_from run' -s d -l detach -d 'Run in the background'
complete -c lichen -n '__fish_seen_subcommand_from run' -l rm -d 'Remove the cell at its end'
complete -c lichen -n '__fish_seen_subcommand_from run' -s i -l interactive -d 'Keep standard input open'
complete -c lichen -n '__fish_seen_subcommand_from run' -s t -l tty -d 'Give it a terminal'
complete -c lichen -n '__fish_seen_subcommand_from run' -s l -l label -x -d 'Note this with the cell'
complete -c lichen -n '__fish_seen_subcommand_from run' -l ulimit -x -a 'core= cpu= fsize= memlock= nofile= nproc= stack=' -d 'Set a resource limit'
complete -c lichen -n '__fish_seen_subcommand_from run' -l stop-signal -x -a 'TERM INT QUIT HUP USR1' -d 'What stop sends first'
complete -c lichen -n '__fish_seen_subcommand_from run' -l stop-timeout -x -d 'When stop goes on to KILL'
complete -c lichen -n '__fish_seen_subcommand_from run' -l restart -x -a 'no on-failure always unless-stopped' -d 'Start the command again'
complete -c lichen -n '__fish_seen_subcommand_from run' -l log-size -x -a '64k 1m 16m 256m' -d 'Keep so much output'
complete -c lichen -n '__fish_seen_subcommand_from run' -a '(__fish_complete_subcommand --fcs-skip=2)'

complete -c lichen -n '__fish_seen_subcommand_from why' -l bare -d 'Fill no gap'
complete -c lichen -n '__fish_seen_subcommand_from why' -l json -d 'Print JSON'
complete -c lichen -n '__fish_seen_subcommand_from why' -l html -r -F -d 'Also write a page'
complete -c lichen -n '__fish_seen_subcommand_from why' -s o -l output -r -F -d 'Write the report there'
complete -c lichen -n '__fish_seen_subcommand_from why' -l trace -r -F -d 'Keep the raw record there'
complete -c lichen -n '__fish_seen_subcommand_from why' -l read -r -F -d 'Read a record'
complete -c lichen -n '__fish_seen_subcommand_from why' -l emulate -x -a '(__lichen_gaps)' -d 'Fill these gaps'
complete -c lichen -n '__fish_seen_subcommand_from why' -l native -x -a '(__lichen_gaps)' -d 'Never fill these gaps'
complete -c lichen -n '__fish_seen_subcommand_from why' -l refuse -x -a '(__lichen_gaps)' -d 'Let the kernel refuse these'
complete -c lichen -n '__fish_seen_subcommand_from why' -s e -l env -x -d 'Set a variable'
complete -c lichen -n '__fish_seen_subcommand_from why' -s w -l workdir -x -a '(__fish_complete_directories)' -d 'Run in this directory'
complete -c lichen -n '__fish_seen_subcommand_from why' -a '(__fish_complete_subcommand --fcs-skip=2)'

complete -c lichen -n '__fish_seen_subcommand_from image' -a import -d 'Make an image of a directory or tar archive'
complete -c lichen -n '__fish_seen_subcommand_from image' -a from-host -d 'Make an image of programs of this machine'
complete -c lichen -n '__fish_seen_subcommand_from image' -a inspect -d 'Print what is known of images'
complete -c lichen -n '__fish_seen_subcommand_from image' -F

complete -c lichen -n '__fish_seen_subcommand_from images' -l json -d 'Print JSON'
complete -c lichen -n '__fish_seen_subcommand_from images' -s q -l quiet -d 'Print ids only'
complete -c lichen -n '__fish_seen_subcommand_from images' -l no-trunc -d 'Print ids in full'
complete -c lichen -n '__fish_seen_subcommand_from images' -a '(__lichen_images)'

complete -c lichen -n '__fish_seen_subcommand_from pull' -s q -l quiet -d 'Show no progress'
complete -c lichen -n '__fish_seen_subcommand_from pull' -l plain-http -d 'Speak HTTP without TLS'
complete -c lichen -n '__fish_seen_subcommand_from pull' -l ca -r -F -d 'Trust these certificates, too'
complete -c lichen -n '__fish_seen_subcommand_from pull' -a '(__lichen_images)'

complete -c lichen -n '__fish_seen_subcommand_from ps' -s a -l all -d 'Cells that have ended, too'
complete -c lichen -n '__fish_seen_subcommand_from ps' -s q -l quiet -d 'Only the ids'
complete -c lichen -n '__fish_seen_subcommand_from ps' -l json -d 'Print JSON'
complete -c lichen -n '__fish_seen_subcommand_from ps' -s f -l filter -x -a 'name= id= status= label= exited=' -d 'Only cells that fit'
complete -c lichen -n '__fish_seen_subcommand_from logs' -s f -l follow -d 'Go on until the end'
complete -c lichen -n '__fish_seen_subcommand_from logs' -s n -l tail -x -d 'Begin so many lines before the end'
complete -c lichen -n '__fish_seen_subcommand_from logs' -l since -x -d 'Only what is younger'
complete -c lichen -n '__fish_seen_subcommand_from logs' -s t -l timestamps -d 'Say when it was written'
complete -c lichen -n '__fish_seen_subcommand_from logs' -a '(__lichen_cells)'
complete -c lichen -n '__fish_seen_subcommand_from stop' -s t -l time -x -d 'Wait so long'
complete -c lichen -n '__fish_seen_subcommand_from stop' -s s -l signal -x -a 'TERM KILL HUP INT QUIT USR1 USR2 CONT STOP' -d 'Begin with this signal'
complete -c lichen -n '__fish_seen_subcommand_from stop' -a '(__lichen_cells)'
complete -c lichen -n '__fish_seen_subcommand_from kill' -s s -l signal -x -a 'TERM KILL HUP INT QUIT USR1 USR2 CONT STOP' -d 'Send this signal'
complete -c lichen -n '__fish_seen_subcommand_from kill' -a '(__lichen_cells)'
complete -c lichen -n '__fish_seen_subcommand_from wait' -a '(__lichen_cells)'
complete -c lichen -n '__fish_seen_subcommand_from rm' -s f -l force -d 'Kill those that run'
complete -c lichen -n '__fish_seen_subcommand_from rm' -a '(__lichen_cells)'
complete -c lichen -n '__fish_seen_subcommand_from inspect' -a '(__lichen_cells)'

complete -c lichen -n '__fish_seen_subcommand_from load' -s i -l input -r -F -d 'Read this archive'
complete -c lichen -n '__fish_seen_subcommand_from load' -s q -l quiet -d 'Print nothing but errors'

complete -c lichen -n '__fish_seen_subcommand_from save' -s o -l output -r -F -d 'Write this file'
complete -c lichen -n '__fish_seen_subcommand_from save' -a '(__lichen_images)'

complete -c lichen -n '__fish_seen_subcommand_from tag' -a '(__lichen_images)'

complete -c lichen -n '__fish_seen_subcommand_from rmi' -s f -l force -d 'Also an image that is used'
complete -c lichen -n '__fish_seen_subcommand_from rmi' -a '(__lichen_images)'
complete -c lichen -n '__fish_seen_subcommand_from exec' -s d -l detach -d 'Run in the background'
complete -c lichen -n '__fish_seen_subcommand_from exec' -s i -l interactive -d 'Read our standard input'
complete -c lichen -n '__fish_seen_subcommand_from exec' -s t -l tty -d 'Insist on a terminal'
complete -c lichen -n '__fish_seen_subcommand_from exec' -s e -l env -x -d 'Set a variable'
complete -c lichen -n '__fish_seen_subcommand_from exec' -s w -l workdir -x -a '(__fish_complete_directories)' -d 'Run in this directory'
complete -c lichen -n '__fish_seen_subcommand_from exec' -a '(__lichen_cells)'
complete -c lichen -n '__fish_seen_subcommand_from top' -a '(__lichen_cells)'
complete -c lichen -n '__fish_seen_subcommand_from diff' -l json -d 'Print JSON'
complete -c lichen -n '__fish_seen_subcommand_from diff' -a '(__lichen_cells)'
complete -c lichen -n '__fish_seen_subcommand_from commit' -s a -l author -x -d 'Who made it'
complete -c lichen -n '__fish_seen_subcommand_from commit' -s m -l message -x -d 'What it is'
complete -c lichen -n '__fish_seen_subcommand_from commit' -s c -l change -x -d 'An instruction of a Dockerfile'
complete -c lichen -n '__fish_seen_subcommand_from commit' -a '(__lichen_cells)'
